package fleet

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"nhip/internal/settings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrByHand is why a file can't be changed by a program without spoiling what people wrote in it.
var ErrByHand = errors.New("the fleet file is written in a way that only its author should change; do it by hand")

// Add returns the text of a fleet file with one more device at the end of its devices. Everything else
// stays as it is, comments too.
func Add(path string, raw []byte, feeds Feeds, d Device) ([]byte, error) {
	before, err := Read(path, raw, feeds)
	if err != nil {
		return nil, err
	}
	if before.Device(d.ID) != nil {
		return nil, fmt.Errorf("%s holds a device %q already", path, d.ID)
	}
	if err := check(d, feeds); err != nil {
		return nil, err
	}
	t, err := parseText(raw)
	if err != nil {
		return nil, err
	}
	out, err := t.append(d)
	if err != nil {
		return nil, err
	}
	want := *before
	want.Devices = append(slices.Clone(before.Devices), d)
	return verified(path, out, feeds, &want)
}

// check refuses a device that no fleet may hold; the error names the key and the rule.
func check(d Device, feeds Feeds) error {
	_, err := Read("", []byte("devices:\n"+strings.Join(item(1, &d), "")), feeds)
	var faults settings.Faults
	if !errors.As(err, &faults) {
		return err
	}
	var all []error
	for _, f := range faults {
		all = append(all, fmt.Errorf("%s: %s", strings.TrimPrefix(f.Key, "devices[0]."), f.Rule))
	}
	return errors.Join(all...)
}

// Change returns the text of a fleet file with the secrets of a device, and whether it is disabled, as
// change leaves them.
func Change(path string, raw []byte, feeds Feeds, id string, change func(*Device) error) ([]byte, error) {
	before, err := Read(path, raw, feeds)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(before.Devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%s holds no device %q", path, id)
	}
	want := *before
	want.Devices = slices.Clone(before.Devices)
	d := &want.Devices[i]
	d.Secrets = slices.Clone(d.Secrets)
	if err := change(d); err != nil {
		return nil, err
	}
	t, err := parseText(raw)
	if err != nil {
		return nil, err
	}
	if err := t.set(i, d); err != nil {
		return nil, err
	}
	return verified(path, t.bytes(), feeds, &want)
}

// verified reads a changed text and holds it against what it should say.
func verified(path string, raw []byte, feeds Feeds, want *Fleet) ([]byte, error) {
	got, err := Read(path, raw, feeds)
	if err != nil || !reflect.DeepEqual(normal(got), normal(want)) {
		return nil, ErrByHand
	}
	return raw, nil
}

// normal makes nothing and empty the same.
func normal(f *Fleet) *Fleet {
	out := *f
	out.Devices = slices.Clone(f.Devices)
	for i := range out.Devices {
		d := &out.Devices[i]
		d.Secrets, d.Topics = append([]string{}, d.Secrets...), append([]string{}, d.Topics...)
	}
	out.Devices = append([]Device{}, out.Devices...)
	return &out
}

// text is a file as lines, and where its devices are.
type text struct {
	lines   []string // each with its line break
	devices *ast.SequenceNode
	next    int // line of the key behind the devices; 0: there is none
}

func parseText(raw []byte) (*text, error) {
	parsed, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, err
	}
	t := &text{lines: slices.Collect(strings.Lines(string(raw)))}
	for _, doc := range parsed.Docs {
		m, ok := doc.Body.(ast.MapNode)
		if !ok {
			continue
		}
		for i := m.MapRange(); i.Next(); {
			switch line := i.Key().GetToken().Position.Line; {
			case i.Key().GetToken().Value == "devices":
				var isList bool
				if t.devices, isList = i.Value().(*ast.SequenceNode); !isList {
					return nil, ErrByHand
				}
			case t.devices != nil && t.next == 0:
				t.next = line
			}
		}
	}
	if t.devices != nil && t.devices.IsFlowStyle {
		return nil, ErrByHand
	}
	return t, nil
}

func (t *text) bytes() []byte { return []byte(strings.Join(t.lines, "")) }

// append puts a device behind the last one.
func (t *text) append(d Device) ([]byte, error) {
	if n := len(t.lines); n > 0 && !strings.HasSuffix(t.lines[n-1], "\n") {
		t.lines[n-1] += "\n"
	}
	if t.devices == nil {
		t.lines = append(t.lines, "devices:\n")
		t.lines = append(t.lines, item(1, &d)...)
		return t.bytes(), nil
	}
	at := t.endBefore(t.next)
	t.lines = slices.Insert(t.lines, at, item(t.devices.Start.Position.Column, &d)...)
	return t.bytes(), nil
}

// endBefore returns how many lines belong to what stands before a line (0: before the end), without the
// blank lines and comments between the two.
func (t *text) endBefore(line int) int {
	end := len(t.lines)
	if line > 0 {
		end = line - 1
	}
	for end > 0 {
		s := strings.TrimSpace(t.lines[end-1])
		if s != "" && !strings.HasPrefix(s, "#") && s != "---" && s != "..." {
			break
		}
		end--
	}
	return end
}

// item writes a device as an item of a list whose "-" stands in a column.
func item(column int, d *Device) []string {
	lines := []string{"id: " + quoted(d.ID), "feed: " + quoted(d.Feed)}
	if len(d.Topics) > 0 {
		lines = append(lines, "topics: "+list(d.Topics))
	}
	if d.Rate > 0 {
		lines = append(lines, "rate: "+strconv.FormatInt(d.Rate, 10))
	}
	lines = append(lines, changeable(d)...)
	for i := range lines {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		lines[i] = strings.Repeat(" ", column-1) + lead + lines[i] + "\n"
	}
	return lines
}

// changeable are the lines of what Change changes.
func changeable(d *Device) []string {
	var lines []string
	if len(d.Secrets) > 0 {
		lines = append(lines, "secrets: "+list(d.Secrets))
	}
	if d.Mosquitto != "" {
		lines = append(lines, "mosquitto: "+quoted(d.Mosquitto))
	}
	if d.Disabled {
		lines = append(lines, "disabled: true")
	}
	return lines
}

func list(all []string) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = quoted(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// quoted writes a text as YAML reads it back.
func quoted(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/", r))
	})
	if plain && s[0] != '-' {
		return s
	}
	return strconv.Quote(s)
}

// set writes what is changeable of device i anew.
func (t *text) set(i int, d *Device) error {
	m, ok := t.devices.Values[i].(ast.MapNode)
	if flow, isMap := m.(*ast.MappingNode); !ok || isMap && flow.IsFlowStyle {
		return ErrByHand
	}
	end := t.endOf(i)
	var keep []string
	inside, first := true, true
	column := 0
	starts := make(map[int]bool) // line → whether the key there stays
	for k := m.MapRange(); k.Next(); {
		at := k.Key().GetToken()
		stays := at.Value != "secrets" && at.Value != "disabled" && at.Value != "mosquitto"
		if first && !stays {
			return ErrByHand // it stands behind the "-"
		}
		if first {
			column = at.Position.Column
		}
		first = false
		starts[at.Position.Line] = stays
	}
	from := m.(ast.Node).GetToken().Position.Line
	for line := range starts {
		from = min(from, line)
	}
	for line := from; line <= end; line++ {
		if stays, begins := starts[line]; begins {
			inside = stays
		}
		if inside {
			keep = append(keep, t.lines[line-1])
		}
	}
	if n := len(keep); !strings.HasSuffix(keep[n-1], "\n") {
		keep[n-1] += "\n"
	}
	for _, line := range changeable(d) {
		keep = append(keep, strings.Repeat(" ", column-1)+line+"\n")
	}
	t.lines = slices.Replace(t.lines, from-1, end, keep...)
	return nil
}

// endOf returns the last line of device i.
func (t *text) endOf(i int) int {
	if i+1 == len(t.devices.Values) {
		return t.endBefore(t.next)
	}
	next := t.devices.Values[i+1]
	line := next.GetToken().Position.Line
	if m, ok := next.(ast.MapNode); ok {
		for k := m.MapRange(); k.Next(); {
			line = min(line, k.Key().GetToken().Position.Line)
		}
	}
	return t.endBefore(line)
}
