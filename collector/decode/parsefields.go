package decode

import (
	"errors"
	"slices"
	"strings"

	"nhip"
)

// ParseFields parses the fields of a feed in the configuration, separated by commas. A field is a dotted path in the
// payload, "=", a quantity and, if it is not the platform's unit, a unit (see Convert):
//
//	air.pm2_5=pm25, temp=temperature °F, no2=no2 ppb
//
// The error is an *nhip.Error with the faulty field in its rule.
func ParseFields(text string) ([]Field, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var fields []Field
	for part := range strings.SplitSeq(text, ",") {
		f, err := parseField(part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(fields, func(o Field) bool { return o.Name == f.Name }) {
			return nil, nhip.Errorf(nhip.CodeInvalid, "", "names %s twice", f.Name)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func parseField(text string) (Field, error) {
	path, what, found := strings.Cut(text, "=")
	quantity, in, _ := strings.Cut(strings.TrimSpace(what), " ")
	f := Field{Name: strings.TrimSpace(path), Quantity: nhip.Quantity(quantity), Unit: strings.TrimSpace(in)}
	switch {
	case !found || f.Name == "" || quantity == "":
		return f, nhip.Errorf(nhip.CodeInvalid, "",
			"must be PATH=QUANTITY UNIT, as in air.pm2_5=pm25, temp=temperature °F, got %q", strings.TrimSpace(text))
	case !f.Quantity.Known():
		return f, nhip.Errorf(nhip.CodeInvalid, "", "%s: %q is not a known quantity", f.Name, quantity)
	}
	var fault *nhip.Error
	if _, err := Convert(f.Quantity, 0, f.Unit); errors.As(err, &fault) {
		return f, nhip.Errorf(nhip.CodeInvalid, "", "%s: %s", f.Name, fault.Rule)
	}
	return f, nil
}

// FormatFields formats fields for ParseFields.
func FormatFields(fields []Field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = strings.TrimSuffix(f.Name+"="+string(f.Quantity)+" "+f.Unit, " ")
	}
	return strings.Join(parts, ", ")
}
