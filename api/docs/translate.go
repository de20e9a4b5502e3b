package docs

import (
	"strings"

	"github.com/goccy/go-yaml"
)

// translation is an entry of the list of texts.
type translation struct {
	En string `yaml:"en"`
	Vi string `yaml:"vi"`
}

// dictionary has the Vietnamese texts by the English ones, in which white space counts as one space.
type dictionary map[string]string

func readDictionary(texts []byte) (dictionary, error) {
	var all []translation
	if err := yaml.Unmarshal(texts, &all); err != nil {
		return nil, err
	}
	d := make(dictionary)
	for _, t := range all {
		d[oneLine(t.En)] = t.Vi
	}
	return d, nil
}

// oneLine returns a text with single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// translatedContract returns the contract with Vietnamese texts.
func translatedContract(contract, texts []byte) (object, error) {
	doc, err := parse(contract)
	if err != nil {
		return nil, err
	}
	d, err := readDictionary(texts)
	if err != nil {
		return nil, err
	}
	eachText(doc, func(en string) string {
		if vi, known := d[oneLine(en)]; known {
			return vi
		}
		return en // of a schema
	})
	return doc, nil
}

// eachText replaces each summary and description of a part of the contract. Examples have none: their members of these
// names are data.
func eachText(part any, replace func(string) string) {
	switch part := part.(type) {
	case object:
		for i, item := range part {
			name, _ := item.Key.(string)
			s, isText := item.Value.(string)
			switch {
			case name == "example" || name == "examples":
			case isText && (name == "summary" || name == "description"):
				part[i].Value = replace(s)
			default:
				eachText(item.Value, replace)
			}
		}
	case []any:
		for _, e := range part {
			eachText(e, replace)
		}
	}
}
