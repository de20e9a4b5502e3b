package settings

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File reads YAML by hand, key by key: a library that decodes into structs stops at the first fault,
// and forgets where the values stood.
type File struct {
	Path   string
	Places map[string]Place // of the keys that were set
	Faults Faults

	anchors map[string]ast.Node
	given   map[string]bool // the keys that have a value, be it one that is refused
}

// NewFile returns a file that nothing is read of yet.
func NewFile(path string) *File {
	return &File{Path: path, Places: make(map[string]Place), anchors: make(map[string]ast.Node), given: make(map[string]bool)}
}

// Lists are the keys that hold lists.
type Lists []List

// List is a key that holds a list, and who reads it.
type List struct {
	Key  string
	Read func(n ast.Node)
}

// Read sets what the file's text says.
func (f *File) Read(raw []byte, all []Setting, lists Lists) {
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
			f.RefuseAt(doc.Body, "", "a second document has no effect; keep all keys in one")
			return
		}
		f.Section("", doc.Body, all, lists)
		read = true
	}
}

func (f *File) refuseSyntax(err error) {
	at := Place{Path: f.Path, Line: 1, Column: 1}
	rule := err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		rule = e.GetMessage()
		if t := e.GetToken(); t != nil {
			at.Line, at.Column = t.Position.Line, t.Position.Column
		}
	}
	f.refuse(at, "", rule)
}

func (f *File) refuse(at Place, key, rule string) {
	f.Faults = append(f.Faults, NewFault(at, key, rule))
}

// RefuseAt adds a fault at a node.
func (f *File) RefuseAt(n ast.Node, key, rule string) { f.refuse(f.at(n), key, rule) }

// Refuse adds a fault at the place where a key was set.
func (f *File) Refuse(key, rule string) { f.refuse(f.Places[key], key, rule) }

// Require refuses a section, which begins at a node, that has no value for one of the keys.
func (f *File) Require(n ast.Node, keys ...string) {
	for _, key := range keys {
		if !f.given[key] {
			f.RefuseAt(n, key, "is required")
		}
	}
}

// at is where a node begins; the library has a mapping begin at its first colon.
func (f *File) at(n ast.Node) Place {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	return Place{Path: f.Path, Line: t.Position.Line, Column: t.Position.Column}
}

// Section sets the keys below a prefix, and reports whether there is a section at all. One that
// holds nothing sets nothing.
func (f *File) Section(prefix string, n ast.Node, all []Setting, lists Lists) bool {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return ok
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		f.refuse(at, strings.TrimSuffix(prefix, "."), "must hold keys: "+strings.Join(names(all, prefix, lists), ", "))
		return false
	}
	for i := m.MapRange(); i.Next(); {
		f.pair(prefix, i.Key(), i.Value(), all, lists)
	}
	return true
}

func (f *File) pair(prefix string, k, n ast.Node, all []Setting, lists Lists) {
	key := prefix + k.GetToken().Value
	s, ok := Find(all, key)
	switch {
	case strings.Contains(k.GetToken().Value, "."): // "http.listen: x" beside "http:" would be a key that stands twice
		f.RefuseAt(k, key, "is not known; write keys below their section")
	case ok:
		f.scalar(s, n)
	case lists.read(key, n):
	case len(names(all, key+".", lists)) > 0:
		f.Section(key+".", n, all, lists)
	default:
		f.RefuseAt(k, key, "is not known; here may stand "+strings.Join(names(all, prefix, lists), ", "))
	}
}

// read has the list of a key read; false where the key holds none.
func (l Lists) read(key string, n ast.Node) bool {
	for _, list := range l {
		if list.Key == key {
			list.Read(n)
			return true
		}
	}
	return false
}

// Items returns what a list holds. One without a value is not set, and ok is false where it holds
// something else.
func (f *File) Items(key string, n ast.Node) (items []ast.Node, ok bool) {
	at := f.at(n)
	n, ok = f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return nil, ok
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		f.refuse(at, key, "must be a list")
		return nil, false
	}
	return list.Values, true
}

// scalar sets one key. A key without a value is not set.
func (f *File) scalar(s Setting, n ast.Node) {
	at := f.at(n)
	n, ok := f.resolve(n)
	if !ok || n.Type() == ast.NullType {
		return
	}
	f.given[s.Key] = true
	var err error
	if listed, isList := s.Value.(listed); isList && n.Type() == ast.SequenceType {
		err = f.setList(listed, n)
	} else if written, ok := scalarText(n); ok {
		err = s.Value.Set(written)
	} else {
		err = errors.New("must be one value")
		if isList {
			err = errors.New("must be a list of " + listed.of())
		}
	}
	if err != nil {
		f.refuse(at, s.Key, err.Error())
		return
	}
	f.Places[s.Key] = at
}

// listed is a value that a file may write as a list.
type listed interface {
	setList(parts []string) error
	of() string // what the list holds
}

func (f *File) setList(to listed, n ast.Node) error {
	list := n.(*ast.SequenceNode)
	parts := make([]string, len(list.Values))
	for i, item := range list.Values {
		item, ok := f.resolve(item)
		if ok {
			parts[i], ok = scalarText(item)
		}
		if !ok {
			return errors.New("must be a list of " + to.of())
		}
	}
	return to.setList(parts)
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

// resolve follows anchors (&x) and aliases (*x). A name is known only when its value is resolved, so
// that none can stand for itself.
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
			f.RefuseAt(n, "", "no anchor &"+name+" stands before *"+name)
		}
		return v, ok
	}
	return n, true
}
