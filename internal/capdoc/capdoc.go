// Package capdoc makes documents of the Common Alerting Protocol 1.2 (OASIS, 2010) of the alerts of air quality: which
// messages there are of an alert, with identifiers that do not change, and their form as XML.
package capdoc

import (
	"bytes"
	"encoding/xml"
)

// ContentType is the media type of a document.
const ContentType = "application/cap+xml"

// Namespace is that of the elements.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// Types of messages.
const (
	MsgAlert  = "Alert"
	MsgUpdate = "Update"
	MsgCancel = "Cancel"
)

// Alert is a message. The fields stand in the order of the schema.
type Alert struct {
	XMLName     xml.Name `xml:"urn:oasis:names:tc:emergency:cap:1.2 alert"`
	Identifier  string   `xml:"identifier"`
	Sender      string   `xml:"sender"`
	Sent        string   `xml:"sent"` // as Time tells it, and so are the times of Info
	Status      string   `xml:"status"`
	MsgType     string   `xml:"msgType"`
	Scope       string   `xml:"scope"`
	Restriction string   `xml:"restriction,omitempty"` // required if Scope is Restricted
	Note        string   `xml:"note,omitempty"`
	References  string   `xml:"references,omitempty"`
	Incidents   string   `xml:"incidents,omitempty"`
	Info        []Info   `xml:"info"`
}

// Info is the content of a message in one language.
type Info struct {
	Language     string   `xml:"language"`
	Category     []string `xml:"category"`
	Event        string   `xml:"event"`
	ResponseType string   `xml:"responseType,omitempty"`
	Urgency      string   `xml:"urgency"`
	Severity     string   `xml:"severity"`
	Certainty    string   `xml:"certainty"`
	EventCode    []Value  `xml:"eventCode"`
	Effective    string   `xml:"effective,omitempty"`
	Onset        string   `xml:"onset,omitempty"`
	Expires      string   `xml:"expires,omitempty"`
	SenderName   string   `xml:"senderName,omitempty"`
	Headline     string   `xml:"headline,omitempty"`
	Description  string   `xml:"description,omitempty"`
	Instruction  string   `xml:"instruction,omitempty"`
	Web          string   `xml:"web,omitempty"`
	Parameter    []Value  `xml:"parameter"`
	Area         []Area   `xml:"area"`
}

// Value is a named value.
type Value struct {
	Name  string `xml:"valueName"`
	Value string `xml:"value"`
}

// Area is where an alert holds. Polygons and circles are made by Polygons and Circle.
type Area struct {
	Desc    string   `xml:"areaDesc"`
	Polygon []string `xml:"polygon"`
	Circle  []string `xml:"circle"`
	Geocode []Value  `xml:"geocode"`
}

// Encode returns the document of a message.
func Encode(a *Alert) ([]byte, error) { return EncodeXML(a) }

// EncodeXML returns a document with the XML declaration, indented.
func EncodeXML(v any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	e := xml.NewEncoder(&out)
	e.Indent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
