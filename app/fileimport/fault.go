package fileimport

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"nhip"
)

// describeFault formats a fault of a chunk whose first line or result has the given number in the file.
type describeFault func(fault *nhip.Error, first int) string

var lineField = regexp.MustCompile(`^line (\d+) ?`)

// tableFault formats a fault of a chunk of a table with its line in the file. Line 2 of the chunk is the line first of
// the file, because every chunk begins with the table's header.
func tableFault(fault *nhip.Error, first int) string {
	m := lineField.FindStringSubmatch(fault.Field)
	if m == nil {
		return fmt.Sprintf("%d: %s", first, fault.Error())
	}
	n, _ := strconv.Atoi(m[1]) // digits only
	rest := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	if first == 1 || n == 1 {
		return fmt.Sprintf("%d: %s", n, rest.Error())
	}
	return fmt.Sprintf("%d: %s", first+n-2, rest.Error())
}

// rowNumber returns the number of the row that a fault names, 0 if it names none.
func rowNumber(fault *nhip.Error) int {
	for _, named := range []*regexp.Regexp{lineField, resultField} {
		if m := named.FindStringSubmatch(fault.Field); m != nil {
			n, _ := strconv.Atoi(m[1]) // digits only
			return n
		}
	}
	return 0
}

var resultField = regexp.MustCompile(`^results\[(\d+)\] ?`)

// resultFault formats a fault of a chunk of JSON results with its index in the file.
func resultFault(fault *nhip.Error, first int) string {
	m := resultField.FindStringSubmatch(fault.Field)
	if m == nil {
		return " " + fault.Error()
	}
	n, _ := strconv.Atoi(m[1]) // digits only
	rest := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	return fmt.Sprintf(" results[%d]: %s", first+n, rest.Error())
}
