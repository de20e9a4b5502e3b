package docs

import (
	"bytes"
	"encoding/json"
	"html/template"
	"strings"
)

// page is the contract as the template shows it.
type page struct {
	Lang, OtherLang string
	Words           map[string]string // of the page, in its language
	Title, Version  string
	Description     template.HTML
	Groups          []group
	Schemas         []schema
}

// group has the operations of a tag.
type group struct {
	Name        string
	Description template.HTML
	Operations  []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Description               template.HTML
	Roles                     []string
	Lenient                   bool // unknown parameters are ignored
	Parameters                []parameter
	Body                      []content
	BodyDescription           template.HTML
	Answers                   []answer
}

type parameter struct {
	Name, In, Example string
	Required          bool
	Type              kind
	Description       template.HTML
}

type answer struct {
	Status      string
	Description template.HTML
	Contents    []content
}

// content is a body in one format.
type content struct {
	Format, Example string
	Type            kind
	Rows            []row // the fields of an object that has no name
}

// schema is a named type.
type schema struct {
	Name        string
	Description template.HTML
	Type        kind
	Rows        []row
}

// pageOf returns the page of a contract in a language.
func pageOf(doc object, lang string) *page {
	p := &page{
		Lang: lang, OtherLang: vietnamese, Words: words[lang], Title: text(child(doc, "info"), "title"),
		Version: text(child(doc, "info"), "version"), Description: prose(text(child(doc, "info"), "description")),
	}
	if lang == vietnamese {
		p.OtherLang = english
	}
	byTag := make(map[string]*group)
	p.Groups = make([]group, len(list(doc, "tags")))
	for i, t := range list(doc, "tags") {
		tag := t.(object)
		p.Groups[i] = group{Name: text(tag, "name"), Description: prose(text(tag, "description"))}
		byTag[p.Groups[i].Name] = &p.Groups[i]
	}
	for _, path := range child(doc, "paths") {
		for _, item := range path.Value.(object) {
			described := item.Value.(object)
			o := operationOf(doc, described)
			o.Method, o.Path = strings.ToUpper(item.Key.(string)), path.Key.(string)
			for _, tag := range list(described, "tags")[:1] {
				byTag[tag.(string)].Operations = append(byTag[tag.(string)].Operations, o)
			}
		}
	}
	for _, s := range child(doc, "components", "schemas") {
		of := s.Value.(object)
		p.Schemas = append(p.Schemas, schema{
			Name: s.Key.(string), Description: prose(text(of, "description")), Type: kindOf(doc, of), Rows: rowsOf(doc, of, 0),
		})
	}
	return p
}

func operationOf(doc, described object) operation {
	o := operation{
		ID: text(described, "operationId"), Summary: text(described, "summary"),
		Description: prose(text(described, "description")), Lenient: get(described, "x-ignores-unknown") == true,
	}
	for _, role := range list(described, "x-roles") {
		o.Roles = append(o.Roles, role.(string))
	}
	for _, p := range list(described, "parameters") {
		of, _ := resolve(doc, p.(object))
		value := child(of, "schema")
		example := get(of, "example")
		if example == nil {
			example = get(value, "example")
		}
		o.Parameters = append(o.Parameters, parameter{
			Name: text(of, "name"), In: text(of, "in"), Required: get(of, "required") == true, Type: kindOf(doc, value),
			Description: prose(text(of, "description")), Example: exampleText(example),
		})
	}
	body, _ := resolve(doc, child(described, "requestBody"))
	o.Body, o.BodyDescription = contentsOf(doc, body), prose(text(body, "description"))
	for _, r := range child(described, "responses") {
		of, _ := resolve(doc, r.Value.(object))
		o.Answers = append(o.Answers, answer{
			Status: r.Key.(string), Description: prose(text(of, "description")), Contents: contentsOf(doc, of),
		})
	}
	return o
}

// contentsOf returns the formats of a body.
func contentsOf(doc, described object) []content {
	var all []content
	for _, item := range child(described, "content") {
		media := item.Value.(object)
		of := child(media, "schema")
		c := content{Format: item.Key.(string), Type: kindOf(doc, of)}
		if get(of, "$ref") == nil {
			c.Rows = rowsOf(doc, of, 0)
		}
		if e := get(media, "example"); e != nil {
			c.Example = indented(e)
		}
		for _, e := range child(media, "examples") {
			named, _ := resolve(doc, e.Value.(object))
			c.Example = indented(get(named, "value"))
		}
		all = append(all, c)
	}
	return all
}

// indented returns an example as JSON in lines.
func indented(v any) string {
	var b bytes.Buffer
	if json.Indent(&b, encode(v), "", "  ") != nil {
		return ""
	}
	return b.String()
}

// exampleText returns the example of a parameter as it stands in an address.
func exampleText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, exampleText(e))
		}
		return strings.Join(all, ",")
	}
	return string(encode(v))
}

// prose returns a text as HTML: paragraphs between empty lines, and code between backticks.
func prose(s string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(s), "\n\n") {
		if paragraph == "" {
			continue
		}
		b.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			part = template.HTMLEscapeString(part)
			if i%2 == 1 {
				part = "<code>" + part + "</code>"
			}
			b.WriteString(part)
		}
		b.WriteString("</p>")
	}
	return template.HTML(b.String()) // escaped above
}
