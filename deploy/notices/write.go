package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// notices returns the text of all notices. Components with the same text share it.
func notices(all []component) []byte {
	var b strings.Builder
	b.WriteString("Nhịp contains the software below. nhip and the web map are in bin/nhip, influxd is bin/influxd.\n")
	byText := make(map[string][]*component)
	var order []string
	for i := range all {
		c := &all[i]
		if byText[c.text] == nil {
			order = append(order, c.text)
		}
		byText[c.text] = append(byText[c.text], c)
	}
	for _, text := range order {
		b.WriteString("\n" + strings.Repeat("=", 80) + "\n")
		for _, c := range byText[text] {
			fmt.Fprintf(&b, "%s %s (%s), in %s\n", c.name, c.version, c.licence, strings.Join(c.programs, ", "))
		}
		b.WriteString("\n" + text + "\n")
	}
	return []byte(b.String())
}

// The parts of CycloneDX 1.5 that are used. There is no time and no serial number, so that equal programs have equal
// bills.
type (
	bom struct {
		Format     string         `json:"bomFormat"`
		Spec       string         `json:"specVersion"`
		Version    int            `json:"version"`
		Metadata   bomMetadata    `json:"metadata"`
		Components []bomComponent `json:"components"`
	}
	bomMetadata struct {
		Component bomComponent `json:"component"`
	}
	bomComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref"`
		Name       string        `json:"name"`
		Version    string        `json:"version,omitempty"`
		PURL       string        `json:"purl,omitempty"`
		Licenses   []bomLicense  `json:"licenses,omitempty"`
		Properties []bomProperty `json:"properties,omitempty"`
	}
	bomLicense struct {
		Expression string `json:"expression"`
	}
	bomProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

func billOfMaterials(all []component) ([]byte, error) {
	out := bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1,
		Metadata: bomMetadata{bomComponent{
			Type: "application", Ref: "nhip", Name: "nhip", Licenses: []bomLicense{{"Apache-2.0"}},
		}},
	}
	for _, c := range all {
		purl := "pkg:" + c.ecosystem + "/" + strings.ReplaceAll(c.name, "@", "%40") + "@" + url.PathEscape(c.version)
		b := bomComponent{
			Type: "library", Ref: purl, Name: c.name, Version: c.version, PURL: purl, Licenses: []bomLicense{{c.licence}},
		}
		for _, p := range c.programs {
			b.Properties = append(b.Properties, bomProperty{"nhip:program", p})
		}
		out.Components = append(out.Components, b)
	}
	raw, err := json.MarshalIndent(out, "", " ")
	return append(raw, '\n'), err
}
