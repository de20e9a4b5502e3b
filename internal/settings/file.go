package settings

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// File reads YAML key by key. A library that decodes into structs stops at the first fault, and does not report the
// positions of values.
type File struct {
	Path      string
	Positions map[string]Position // of the keys that were set
	Faults    Faults

	anchors map[string]ast.Node
	given   map[string]bool // keys with a value, valid or not
	values  int             // values read, those that aliases repeat included
}

// NewFile returns a File of which nothing is read yet.
func NewFile(path string) *File {
	return &File{
		Path: path, Positions: make(map[string]Position),
		anchors: make(map[string]ast.Node), given: make(map[string]bool),
	}
}

// Lists are the keys whose values are lists of sections.
type Lists []List

// List is a key whose value is a list, and the function that reads it.
type List struct {
	Key  string
	Read func(n ast.Node)
}

// Read sets the values in the text of the file.
func (f *File) Read(raw []byte, all []Setting, lists Lists) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // a byte order mark, which some editors write
	parsed, err := Parse(raw)
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
			f.RefuseAt(doc.Body, "", "must not begin a second document; write all keys in one")
			return
		}
		f.Section("", doc.Body, all, lists)
		read = true
	}
}

func (f *File) refuseSyntax(err error) {
	at := Position{Path: f.Path, Line: 1, Column: 1}
	var e yaml.Error
	var bound *boundFault
	switch {
	case errors.As(err, &bound):
		at.Line, at.Column = bound.line, bound.column
		f.refuse(at, "", bound.rule)
	case errors.As(err, &e):
		if t := e.GetToken(); t != nil {
			at.Line, at.Column = t.Position.Line, t.Position.Column
		}
		f.refuse(at, "", e.GetMessage())
	default:
		f.refuse(at, "", err.Error())
	}
}

func (f *File) refuse(at Position, key, rule string) {
	if len(f.Faults) >= maxFaults {
		rule = "is faulty, as much above" // a million long rules would need gigabytes
	}
	f.Faults = append(f.Faults, NewFault(at, key, rule))
}

// count counts a value and reports whether it may be read.
func (f *File) count(at Position, key string) bool {
	f.values++
	if f.values > maxValues {
		f.refuse(at, key, "the file has too many values, with those that aliases repeat")
		return false
	}
	return true
}

// RefuseAt adds a fault at the position of a node.
func (f *File) RefuseAt(n ast.Node, key, rule string) { f.refuse(f.at(n), key, rule) }

// Refuse adds a fault at the position where a key was set.
func (f *File) Refuse(key, rule string) { f.refuse(f.Positions[key], key, rule) }

// Require adds a fault for each of the keys without a value. The node is the section of the keys.
func (f *File) Require(n ast.Node, keys ...string) {
	for _, key := range keys {
		if !f.given[key] {
			f.RefuseAt(n, key, "is required")
		}
	}
}

// at returns where a node begins. The YAML library has a mapping begin at its first colon.
func (f *File) at(n ast.Node) Position {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	return Position{Path: f.Path, Line: t.Position.Line, Column: t.Position.Column}
}

// Section sets the keys below a prefix from a node. It returns false if the node is not a section. An empty section
// sets nothing.
func (f *File) Section(prefix string, n ast.Node, all []Setting, lists Lists) bool {
	at := f.at(n)
	if !f.count(at, strings.TrimSuffix(prefix, ".")) {
		return false
	}
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return ok
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		keys := strings.Join(names(all, prefix, lists), ", ")
		f.refuse(at, strings.TrimSuffix(prefix, "."), "must be a section with the keys "+keys)
		return false
	}
	for i := m.MapRange(); i.Next(); {
		f.pair(prefix, i.Key(), i.Value(), all, lists)
	}
	return true
}

// pair sets one key of a section.
func (f *File) pair(prefix string, k, n ast.Node, all []Setting, lists Lists) {
	if !f.count(f.at(k), strings.TrimSuffix(prefix, ".")) {
		return
	}
	key := prefix + k.GetToken().Value
	s, ok := Find(all, key)
	switch {
	case strings.Contains(k.GetToken().Value, "."): // "http.listen: x" beside "http:" could set a key twice
		f.RefuseAt(k, key, "is not a known key; write keys below their section")
	case ok:
		f.scalar(s, n)
	case lists.readKey(key, n):
	case len(names(all, key+".", lists)) > 0:
		f.Section(key+".", n, all, lists)
	default:
		f.RefuseAt(k, key, "is not a known key; expected one of "+strings.Join(names(all, prefix, lists), ", "))
	}
}

// readKey reads the list of a key. It returns false if the key is not one of the lists.
func (l Lists) readKey(key string, n ast.Node) bool {
	for _, list := range l {
		if list.Key == key {
			list.Read(n)
			return true
		}
	}
	return false
}

// Items returns the items of a list, and nil if the list has no value. ok is false if the value is not a list.
func (f *File) Items(key string, n ast.Node) (items []ast.Node, ok bool) {
	at := f.at(n)
	if !f.count(at, key) {
		return nil, false
	}
	n, ok = f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return nil, ok
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		f.refuse(at, key, "must be a list")
		return nil, false
	}
	if f.values += len(list.Values); !f.count(at, key) {
		return nil, false
	}
	return list.Values, true
}

// scalar sets one key. A key without a value stays as it is.
func (f *File) scalar(s Setting, n ast.Node) {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return
	}
	f.given[s.Key] = true
	var err error
	if listed, isList := s.Value.(listValue); isList && n.Type() == ast.SequenceType {
		err = f.setList(listed, n)
	} else if written, ok := scalarText(n); ok {
		err = s.Value.Set(written)
	} else {
		err = errors.New("must be one value")
		if isList {
			err = errors.New("must be a list of " + listed.items())
		}
	}
	if err != nil {
		f.refuse(at, s.Key, err.Error())
		return
	}
	f.Positions[s.Key] = at
}

// listValue is a Value that a file may write as a list.
type listValue interface {
	setList(parts []string) error
	items() string // names the items of the list, for faults
}

func (f *File) setList(to listValue, n ast.Node) error {
	list := n.(*ast.SequenceNode)
	if f.values += len(list.Values); f.values > maxValues {
		return errors.New("the file has too many values, with those that aliases repeat")
	}
	parts := make([]string, len(list.Values))
	for i, item := range list.Values {
		item, ok := f.resolve(item)
		if ok {
			parts[i], ok = scalarText(item)
		}
		if !ok {
			return errors.New("must be a list of " + to.items())
		}
	}
	return to.setList(parts)
}

// scalarText returns a value as it was written, so that 0123 and 1.10 keep their digits.
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

// resolve follows anchors (&x) and aliases (*x). An anchor is defined only after its value is resolved, so that no
// alias can refer to itself.
func (f *File) resolve(n ast.Node) (ast.Node, bool) {
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
			f.RefuseAt(n, "", "*"+name+" has no anchor &"+name+" before it")
		}
		return v, ok
	}
	return n, true
}
