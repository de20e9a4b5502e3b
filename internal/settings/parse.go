package settings

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The YAML library has none: 40 kB of "[" would need 3 GB, because each value keeps the path to it.
const (
	// MaxFile is the maximum size of a file in bytes, more than the fleet of 100,000 devices.
	MaxFile = 16 << 20

	maxLine   = 16 << 10  // bytes of a line; a million brackets on one line take seconds to read
	maxMarks  = 1_000_000 // characters that may begin a token; a token needs about 300 bytes of memory
	maxDepth  = 32        // levels of nesting
	maxKeys   = 1000      // keys of one mapping; the library's time grows with their square
	maxPaths  = 128 << 20 // bytes of all paths to values together
	maxValues = maxMarks  // values that are read; an alias may repeat a part of the file
	maxFaults = 1000      // faults with a rule of their own
	maxRule   = 1000      // bytes of a rule that a fault shows
)

// ReadFile returns the content of a file of at most MaxFile bytes.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(raw) > MaxFile {
		err = fmt.Errorf("%s: must have at most %d bytes", path, MaxFile)
	}
	return raw, err
}

// boundFault is a violated bound of a file.
type boundFault struct {
	line, column int
	rule         string
}

// Error returns the rule.
func (b *boundFault) Error() string { return b.rule }

// Parse parses YAML within the bounds of a file. What exceeds one is refused before it needs memory.
func Parse(raw []byte) (*ast.File, error) {
	if err := checkSize(raw); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(string(raw))
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	return parser.Parse(tokens, 0)
}

// checkSize checks the size of a text and the number of its tokens, which is at most about that of the characters that
// may begin one.
func checkSize(raw []byte) error {
	if len(raw) > MaxFile {
		return &boundFault{1, 1, fmt.Sprintf("the file must have at most %d bytes", MaxFile)}
	}
	marks, start := 0, 0
	for i, c := range raw {
		if c == '\n' {
			start = i + 1
		}
		if i-start >= maxLine {
			return &boundFault{lineAt(raw, i), 1, fmt.Sprintf("a line must have at most %d bytes", maxLine)}
		}
		if !isMark[c] || c == '-' && i+1 < len(raw) && raw[i+1] > ' ' {
			continue
		}
		if marks++; marks > maxMarks {
			return &boundFault{lineAt(raw, i), 1, "the file has too many values"}
		}
	}
	return nil
}

func lineAt(raw []byte, i int) int { return 1 + bytes.Count(raw[:i], []byte{'\n'}) }

// isMark are the characters that may begin a token, or end one.
var isMark = func() (is [256]bool) {
	for _, c := range []byte("\n\r[]{},:?&*!#|>'\"%-") {
		is[c] = true
	}
	return is
}()

// level is a level of nesting that a token has opened.
type level struct {
	kind   token.Type // SequenceEntryType, MappingValueType, MappingKeyType; of flow style: …StartType
	column int        // of block style
	path   int        // bytes that the level adds to the path of a value
	keys   int        // keys of the mapping so far, this one included; of flow style: values
}

// nesting follows the levels of nesting through a file. It may assume more levels than the parser does, but not fewer.
type nesting struct {
	open  []level
	flow  int // levels of flow style
	path  int // bytes of the path to the current value
	marks int // tags and anchors since the last value
	keys  int // of the mapping of the last token
	paths int // bytes of all paths
}

func checkNesting(tokens token.Tokens) error {
	var n nesting
	var last *token.Token
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		n.next(t, last)
		n.paths += n.path
		if len(n.open)+n.marks > maxDepth {
			return &boundFault{t.Position.Line, t.Position.Column, fmt.Sprintf("must not nest deeper than %d", maxDepth)}
		}
		if n.keys > maxKeys {
			rule := fmt.Sprintf("a section must have at most %d keys", maxKeys)
			return &boundFault{t.Position.Line, t.Position.Column, rule}
		}
		if n.paths > maxPaths {
			return &boundFault{t.Position.Line, t.Position.Column, "the keys up to here are too long"}
		}
		last = t
	}
	return nil
}

// indexPath is the most that an item of a list adds to the path, bytes.
const indexPath = len("[10000000]")

func (n *nesting) next(t, last *token.Token) {
	column := t.Position.Column
	n.keys = 0
	switch t.Type {
	case token.TagType, token.AnchorType:
		n.marks++
		return
	case token.SequenceStartType, token.MappingStartType:
		n.push(level{kind: t.Type, path: indexPath})
	case token.SequenceEndType, token.MappingEndType:
		n.closeFlow(true)
	case token.CollectEntryType:
		n.closeFlow(false)
		n.countFlow()
	case token.SequenceEntryType, token.MappingKeyType:
		keys := n.closeBlocks(column, t.Type)
		n.push(level{kind: t.Type, column: column, path: indexPath, keys: keys + 1})
	case token.MappingValueType:
		size := indexPath
		if last != nil {
			column, size = last.Position.Column, len(last.Value)+len(".''")
		}
		n.keys = n.closeBlocks(column, t.Type) + 1
		n.push(level{kind: t.Type, column: column, path: size, keys: n.keys})
	case token.DocumentHeaderType, token.DocumentEndType:
		n.open, n.flow, n.path = n.open[:0], 0, 0
	}
	n.marks = 0
}

func (n *nesting) push(l level) {
	n.open = append(n.open, l)
	n.path += l.path
	if l.isFlow() {
		n.flow++
	}
}

func (l level) isFlow() bool {
	return l.kind == token.SequenceStartType || l.kind == token.MappingStartType
}

func (n *nesting) pop() {
	l := n.open[len(n.open)-1]
	n.open = n.open[:len(n.open)-1]
	n.path -= l.path
	if l.isFlow() {
		n.flow--
	}
}

// closeFlow closes what is open within the innermost level of flow style, and the level too if it ends.
func (n *nesting) closeFlow(ends bool) {
	if n.flow == 0 {
		return
	}
	for !n.open[len(n.open)-1].isFlow() {
		n.pop()
	}
	if ends {
		n.pop()
	}
}

// countFlow counts a value of a mapping of flow style.
func (n *nesting) countFlow() {
	if n.flow == 0 {
		return
	}
	l := &n.open[len(n.open)-1]
	if l.keys++; l.kind == token.MappingStartType {
		n.keys = l.keys
	}
}

// closeBlocks closes the levels of block style that end where a token of a kind begins at a column, and returns the
// number of keys of the mapping at that column. The items of a list may stand at the column of its key.
func (n *nesting) closeBlocks(column int, kind token.Type) (keys int) {
	if n.flow > 0 {
		return 0
	}
	for len(n.open) > 0 {
		l := n.open[len(n.open)-1]
		if l.column < column {
			return keys
		}
		if l.column == column && l.kind == token.MappingValueType && kind == token.SequenceEntryType {
			return 0
		}
		if keys = 0; l.column == column && l.kind != token.SequenceEntryType {
			keys = l.keys
		}
		n.pop()
	}
	return keys
}
