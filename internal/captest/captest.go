// Package captest checks documents of the Common Alerting Protocol 1.2, for tests: what the schema asks for, and the
// rules of the standard's text that a schema can't state.
package captest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// element is an element of a document with its children.
type element struct {
	name     xml.Name
	text     string
	children []*element
}

// contents are what an element holds, in the order of the schema. A name ends with ? if it may be missing, with * if
// it may be missing or repeated, and with + if it may be repeated.
var contents = map[string]string{
	"alert": "identifier sender sent status msgType source? scope restriction? addresses? code* note? references? " +
		"incidents? info*",
	"info": "language? category+ event responseType* urgency severity certainty audience? eventCode* effective? onset? " +
		"expires? senderName? headline? description? instruction? web? contact? parameter* resource* area*",
	"eventCode": "valueName value", "parameter": "valueName value", "geocode": "valueName value",
	"area":     "areaDesc polygon* circle* geocode* altitude? ceiling?",
	"resource": "resourceDesc mimeType size? uri? derefUri? digest?",
}

// values are the enumerations of the schema.
var values = map[string]string{
	"status": "Actual Exercise System Test Draft", "msgType": "Alert Update Cancel Ack Error",
	"scope": "Public Restricted Private", "urgency": "Immediate Expected Future Past Unknown",
	"category":     "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
	"responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
	"severity":     "Extreme Severe Moderate Minor Unknown", "certainty": "Observed Likely Possible Unlikely Unknown",
}

// patterns are the forms of texts.
var patterns = map[string]*regexp.Regexp{
	"identifier": regexp.MustCompile(`^[^\s,<&]+$`),
	"sender":     regexp.MustCompile(`^[^\s,<&]+$`),
	"sent":       timeForm, "effective": timeForm, "onset": timeForm, "expires": timeForm,
	"references": regexp.MustCompile(`^` + reference + `( ` + reference + `)*$`),
	"circle":     regexp.MustCompile(`^-?[0-9.]+,-?[0-9.]+ [0-9.]+$`),
}

const clock = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:[1-9]\d|[+-]\d\d:0[1-9]|[+-]0[1-9]:00|[+-]1\d:00|-00:00)`

var timeForm = regexp.MustCompile(`^` + clock + `$`)

const reference = `[^\s,<&]+,[^\s,<&]+,` + clock

// Check returns what is wrong with a document; nil if nothing is.
func Check(document []byte) error {
	root, err := parse(document)
	if err != nil {
		return err
	}
	if root.name.Local != "alert" {
		return fmt.Errorf("the document is <%s>", root.name.Local)
	}
	if err := check(root); err != nil {
		return err
	}
	kind, scope := root.first("msgType"), root.first("scope")
	if (kind == "Update" || kind == "Cancel") && root.first("references") == "" {
		return fmt.Errorf("%s has no references", kind)
	}
	if scope == "Restricted" && root.first("restriction") == "" {
		return errors.New("scope is Restricted, and there is no restriction")
	}
	return nil
}

func parse(document []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(document))
	top := &element{}
	open := []*element{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += string(t)
		}
	}
	if len(top.children) != 1 {
		return nil, fmt.Errorf("%d elements at the top", len(top.children))
	}
	return top.children[0], nil
}

func (e *element) first(name string) string {
	for _, c := range e.children {
		if c.name.Local == name {
			return c.text
		}
	}
	return ""
}

func check(e *element) error {
	name := e.name.Local
	if e.name.Space != "urn:oasis:names:tc:emergency:cap:1.2" {
		return fmt.Errorf("%s is of the namespace %q", name, e.name.Space)
	}
	if all, ok := values[name]; ok && !slices.Contains(strings.Fields(all), e.text) {
		return fmt.Errorf("%s is %q", name, e.text)
	}
	if p := patterns[name]; p != nil && !p.MatchString(e.text) {
		return fmt.Errorf("%s is %q", name, e.text)
	}
	if name == "polygon" {
		return checkPolygon(e.text)
	}
	form, holds := contents[name]
	if !holds && len(e.children) > 0 {
		return fmt.Errorf("%s holds elements", name)
	}
	left := e.children
	for _, part := range strings.Fields(form) {
		child, many := strings.TrimRight(part, "?*+"), strings.HasSuffix(part, "*") || strings.HasSuffix(part, "+")
		n := 0
		for len(left) > 0 && left[0].name.Local == child && (n == 0 || many) {
			if err := check(left[0]); err != nil {
				return err
			}
			left, n = left[1:], n+1
		}
		if n == 0 && !strings.HasSuffix(part, "?") && !strings.HasSuffix(part, "*") {
			return fmt.Errorf("%s has no %s", name, child)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%s has %s out of place", name, left[0].name.Local)
	}
	return nil
}

// checkPolygon checks that a polygon is closed, has four pairs or more, and has the latitude first.
func checkPolygon(text string) error {
	pairs := strings.Split(text, " ")
	if len(pairs) < 4 || pairs[0] != pairs[len(pairs)-1] {
		return fmt.Errorf("polygon %q is not closed or has less than four pairs", text)
	}
	for _, p := range pairs {
		lat, lon, _ := strings.Cut(p, ",")
		for value, most := range map[string]float64{lat: 90, lon: 180} {
			if v, err := strconv.ParseFloat(value, 64); err != nil || v < -most || v > most {
				return fmt.Errorf("polygon has the pair %q", p)
			}
		}
	}
	return nil
}
