package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// file reads YAML by hand, key by key: a library that decodes into structs stops at the first fault,
// and forgets where the values stood.
type file struct {
	*Effective
	path    string
	anchors map[string]ast.Node
	given   map[string]bool // the keys that have a value, be it one that is refused
}

func (f *file) read(raw []byte) {
	f.anchors, f.given = make(map[string]ast.Node), make(map[string]bool)
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // the mark that some editors begin a file with
	parsed, err := parser.ParseBytes(raw, 0)
	if err != nil {
		f.refuseSyntax(err)
		return
	}
	read := false
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if read {
			f.refuse(f.at(doc.Body), "", "a second document has no effect; keep all keys in one")
			return
		}
		f.section("", doc.Body, f.settings())
		read = true
	}
}

func (f *file) refuseSyntax(err error) {
	at := place{path: f.path, line: 1, column: 1}
	rule := err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		rule = e.GetMessage()
		if t := e.GetToken(); t != nil {
			at.line, at.column = t.Position.Line, t.Position.Column
		}
	}
	f.refuse(at, "", rule)
}

// at is where a node begins; the library has a mapping begin at its first colon.
func (f *file) at(n ast.Node) place {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	return place{path: f.path, line: t.Position.Line, column: t.Position.Column}
}

// section sets the keys below a prefix, and reports whether there is a section at all. One that
// holds nothing sets nothing.
func (f *file) section(prefix string, n ast.Node, all []setting) bool {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return ok
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		f.refuse(at, strings.TrimSuffix(prefix, "."), "must hold keys: "+strings.Join(names(all, prefix), ", "))
		return false
	}
	for i := m.MapRange(); i.Next(); {
		f.pair(prefix, i.Key(), i.Value(), all)
	}
	return true
}

func (f *file) pair(prefix string, k, n ast.Node, all []setting) {
	key := prefix + k.GetToken().Value
	s, ok := find(all, key)
	switch {
	case strings.Contains(k.GetToken().Value, "."): // "http.listen: x" beside "http:" would be a key that stands twice
		f.refuse(f.at(k), key, "is not known; write keys below their section")
	case ok:
		f.scalar(s, n)
	case key == feedsKey:
		f.feeds(n)
	case len(names(all, key+".")) > 0:
		f.section(key+".", n, all)
	default:
		f.refuse(f.at(k), key, "is not known; here may stand "+strings.Join(names(all, prefix), ", "))
	}
}

// scalar sets one key. A key without a value is not set.
func (f *file) scalar(s setting, n ast.Node) {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return
	}
	f.given[s.key] = true
	written, ok := scalarText(n)
	rule := "must be one value"
	if _, isPoint := s.value.(point); isPoint && !ok {
		written, ok = f.pairText(n)
		rule = "must be a list of two numbers: longitude, latitude"
	}
	if !ok {
		f.refuse(at, s.key, rule)
		return
	}
	f.put(s, written, at)
}

// scalarText returns a value as it was written, so that 0123 and 1.10 stay what they are.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// pairText turns the list [lon, lat] into the text that the environment would hold.
func (f *file) pairText(n ast.Node) (string, bool) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return "", false
	}
	parts := make([]string, len(list.Values))
	for i, item := range list.Values {
		if item, ok = f.resolve(item); !ok {
			return "", false
		}
		if parts[i], ok = scalarText(item); !ok {
			return "", false
		}
	}
	return strings.Join(parts, ", "), true
}

// feeds puts the file's feeds in the place of the default ones.
func (f *file) feeds(n ast.Node) {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		f.refuse(at, feedsKey, "must hold at least one feed, as a list")
		return
	}
	f.Feeds = make([]Feed, len(list.Values))
	for i, item := range list.Values {
		f.feed(i, item)
	}
}

func (f *file) feed(i int, item ast.Node) {
	prefix := feedPrefix(i)
	if !f.section(prefix, item, f.Feeds[i].settings(prefix)) {
		return
	}
	for _, key := range required(prefix) {
		if !f.given[key] {
			f.refuse(f.at(item), key, "is required")
		}
	}
	topic := f.Feeds[i].Topic
	before := func(other Feed) bool { return topic != "" && other.Topic == topic }
	if j := slices.IndexFunc(f.Feeds[:i], before); j >= 0 {
		f.Refuse(prefix+"topic", fmt.Sprintf("is the topic of feeds[%d], which takes all its messages", j))
	}
}

// resolve follows anchors (&x) and aliases (*x). A name is known only when its value is resolved, so
// that none can stand for itself.
func (f *file) resolve(n ast.Node) (ast.Node, bool) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		v, ok := f.resolve(n.Value)
		if ok {
			f.anchors[n.Name.GetToken().Value] = v
		}
		return v, ok
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v, ok := f.anchors[name]
		if !ok {
			f.refuse(f.at(n), "", "no anchor &"+name+" stands before *"+name)
		}
		return v, ok
	}
	return n, true
}
