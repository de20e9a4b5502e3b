package odata

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nhip"
)

// Options are the query options of a request, or of an expanded relation.
type Options struct {
	Filter  *Expression
	Expand  []Expand
	Select  []string
	OrderBy []Order
	Top     int // -1: not asked for
	Skip    int
	Count   bool
	Format  string // resultFormat
	Token   string // $skiptoken
	// Texts are the options in parentheses behind an expanded relation, as they were written.
	Texts map[string]string
}

// Expand is a relation whose entities an answer holds.
type Expand struct {
	Relation string
	Options  Options
}

// Order is a path of properties by which entities are ordered.
type Order struct {
	Path       []string
	Descending bool
}

// The bounds of $expand.
const (
	maxExpandDepth = 5
	maxExpands     = 20
	maxSkip        = 1 << 30
)

// optionReader counts what the nested options have in all.
type optionReader struct{ expands int }

// ReadOptions reads the query of a URL. Unknown and repeated options are refused.
func ReadOptions(rawQuery string) (Options, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil || len(rawQuery) > 4*MaxLength {
		return Options{}, nhip.Errorf(nhip.CodeInvalid, "query", "must be well-formed and at most %d bytes long", 4*MaxLength)
	}
	o, read := Options{Top: -1}, new(optionReader)
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if len(values[name]) > 1 {
			return o, nhip.Errorf(nhip.CodeInvalid, name, "must not be repeated")
		}
		if err := read.set(&o, name, values[name][0], 0); err != nil {
			return o, err
		}
	}
	return o, nil
}

// set reads one option.
func (r *optionReader) set(o *Options, name, value string, depth int) (err error) {
	if len(value) > MaxLength {
		return nhip.Errorf(nhip.CodeInvalid, name, "must be at most %d bytes long", MaxLength)
	}
	switch name {
	case "$filter":
		o.Filter, err = ParseFilter(value)
	case "$expand":
		err = r.expand(o, value, depth)
	case "$select":
		o.Select, err = readSelect(value)
	case "$orderby":
		o.OrderBy, err = readOrder(value)
	case "$top":
		o.Top, err = whole(name, value)
	case "$skip":
		o.Skip, err = whole(name, value)
	case "$count":
		if value != "true" && value != "false" {
			return nhip.Errorf(nhip.CodeInvalid, name, "must be true or false, got %q", value)
		}
		o.Count = value == "true"
	case "resultFormat", "$resultFormat":
		if value != "dataArray" || depth > 0 {
			return nhip.Errorf(nhip.CodeInvalid, "resultFormat", "must be dataArray, and not in $expand; got %q", value)
		}
		o.Format = value
	case "$skiptoken":
		o.Token = value
	default:
		return nhip.Errorf(nhip.CodeInvalid, name,
			"is no option; $filter, $expand, $select, $orderby, $top, $skip, $count and resultFormat are")
	}
	return err
}

func whole(name, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxSkip {
		return 0, nhip.Errorf(nhip.CodeInvalid, name, "must be a whole number from 0 to %d, got %q", maxSkip, value)
	}
	return n, nil
}

func readSelect(s string) ([]string, error) {
	var out []string
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if namePattern.FindString(name) != name || name == "" {
			return nil, nhip.Errorf(nhip.CodeInvalid, "$select", "must be a list of properties, got %q", s)
		}
		if out = append(out, name); len(out) > 2*maxExpands {
			return nil, nhip.Errorf(nhip.CodeInvalid, "$select", "must name at most %d properties", 2*maxExpands)
		}
	}
	return out, nil
}

func readOrder(s string) ([]Order, error) {
	var out []Order
	for part := range strings.SplitSeq(s, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(out) == maxExpands ||
			len(words) == 2 && words[1] != "asc" && words[1] != "desc" {
			return nil, nhip.Errorf(nhip.CodeInvalid, "$orderby",
				"must be a list of at most %d properties with asc or desc, got %q", maxExpands, part)
		}
		path := strings.Split(words[0], "/")
		for _, name := range path {
			if name == "" || namePattern.FindString(name) != name {
				return nil, nhip.Errorf(nhip.CodeInvalid, "$orderby", "%q is no path of properties", words[0])
			}
		}
		out = append(out, Order{path, len(words) == 2 && words[1] == "desc"})
	}
	return out, nil
}

// split splits at a separator outside of parentheses and quotes.
func split(s string, separator byte) ([]string, error) {
	var out []string
	depth, text, from := 0, false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			text = !text
		case text:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return nil, fault("$expand", i+1, "a ) has no (")
			}
		case c == separator && depth == 0:
			out, from = append(out, s[from:i]), i+1
		}
	}
	if depth > 0 || text {
		return nil, fault("$expand", len(s)+1, "ends inside of parentheses or a text")
	}
	return append(out, s[from:]), nil
}

// expand reads relations with their options: A/B($select=name;$expand=C),D.
func (r *optionReader) expand(o *Options, s string, depth int) error {
	parts, err := split(s, ',')
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := r.expandOne(o, strings.TrimSpace(part), depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *optionReader) expandOne(o *Options, s string, depth int) error {
	path, nested := s, ""
	if at := strings.IndexByte(s, '('); at >= 0 {
		if !strings.HasSuffix(s, ")") {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "options must stand in parentheses behind a relation, got %q", s)
		}
		path, nested = s[:at], s[at+1:len(s)-1]
	}
	for name := range strings.SplitSeq(path, "/") {
		if r.expands++; r.expands > maxExpands || depth >= maxExpandDepth {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "must name at most %d relations, at most %d deep", maxExpands,
				maxExpandDepth)
		}
		if name == "" || namePattern.FindString(name) != name {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "%q is no relation", name)
		}
		at := slices.IndexFunc(o.Expand, func(e Expand) bool { return e.Relation == name })
		if at < 0 {
			at = len(o.Expand)
			o.Expand = append(o.Expand, Expand{name, Options{Top: -1}})
		}
		o = &o.Expand[at].Options
		depth++
	}
	if nested == "" {
		return nil
	}
	options, err := split(nested, ';')
	if err != nil {
		return err
	}
	for _, option := range options {
		name, value, ok := strings.Cut(option, "=")
		if !ok {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "%q is no option", option)
		}
		name = strings.TrimSpace(name)
		if err := r.set(o, name, value, depth); err != nil {
			return err
		}
		if o.Texts == nil {
			o.Texts = make(map[string]string)
		}
		o.Texts[name] = value
	}
	return nil
}
