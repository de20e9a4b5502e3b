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
)

// ErrByHand is returned if a program can't change a file and keep everything else as people wrote it.
var ErrByHand = errors.New("the fleet file has a form that can't be edited automatically; edit it by hand")

// Add returns the text of a fleet file with one more device at the end of its devices. Everything else stays as it is,
// including comments.
func Add(path string, raw []byte, feeds Feeds, d Device) ([]byte, error) {
	out, err := AddAll(path, raw, feeds, []Device{d})
	var faults AddFaults
	if errors.As(err, &faults) {
		return nil, faults[0].Err
	}
	return out, err
}

// AddFault is why one of several devices can't be added.
type AddFault struct {
	Index int // of the device
	Err   error
}

// AddFaults are the faults of several devices, in their order.
type AddFaults []AddFault

// Error returns all faults, each on a line.
func (f AddFaults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = fmt.Sprintf("device %d: %v", f[i].Index+1, f[i].Err)
	}
	return strings.Join(lines, "\n")
}

// AddAll is Add for several devices. If any can't be added, it adds none and returns AddFaults.
func AddAll(path string, raw []byte, feeds Feeds, devices []Device) ([]byte, error) {
	before, err := Read(path, raw, feeds)
	if err != nil {
		return nil, err
	}
	if faults := checkAll(path, before, feeds, devices); len(faults) > 0 {
		return nil, faults
	}
	t, err := parseText(raw)
	if err != nil {
		return nil, err
	}
	want := *before
	want.Devices = append(slices.Clone(before.Devices), devices...)
	return verified(path, t.append(devices), feeds, &want)
}

// checkAll returns which devices are invalid or known already.
func checkAll(path string, before *Fleet, feeds Feeds, devices []Device) (faults AddFaults) {
	known := make(map[string]bool, len(before.Devices)+len(devices))
	for i := range before.Devices {
		known[before.Devices[i].ID] = true
	}
	given := make(map[string]bool, len(devices))
	for i, d := range devices {
		err := check(d, feeds)
		switch {
		case known[d.ID]:
			err = fmt.Errorf("%s contains a device %q already", path, d.ID)
		case given[d.ID]:
			err = fmt.Errorf("the device %q is given twice", d.ID)
		}
		if given[d.ID] = true; err != nil {
			faults = append(faults, AddFault{i, err})
		}
	}
	return faults
}

// Remove returns the text of a fleet file without some devices. Everything else stays as it is, including comments. A
// device that is not in the file is an error.
func Remove(path string, raw []byte, feeds Feeds, ids []string) ([]byte, error) {
	before, err := Read(path, raw, feeds)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if before.Device(id) == nil {
			return nil, fmt.Errorf("%s contains no device %q", path, id)
		}
	}
	t, err := parseText(raw)
	if err != nil {
		return nil, err
	}
	want := *before
	want.Devices = nil
	for i := range slices.Backward(before.Devices) { // from the end, so that the lines of the others stay
		if slices.Contains(ids, before.Devices[i].ID) {
			t.remove(i)
		}
	}
	for _, d := range before.Devices {
		if !slices.Contains(ids, d.ID) {
			want.Devices = append(want.Devices, d)
		}
	}
	return verified(path, t.bytes(), feeds, &want)
}

// check returns an error if a device is invalid. The error names the key and the rule.
func check(d Device, feeds Feeds) error {
	_, err := Read("", []byte("devices:\n"+strings.Join(itemLines(1, &d), "")), feeds)
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

// Change returns the text of a fleet file after change was applied to a device. change may modify the secrets and
// whether the device is disabled.
func Change(path string, raw []byte, feeds Feeds, id string, change func(*Device) error) ([]byte, error) {
	before, err := Read(path, raw, feeds)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(before.Devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%s contains no device %q", path, id)
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

// verified returns a changed text if it reads as the wanted fleet, and ErrByHand otherwise.
func verified(path string, raw []byte, feeds Feeds, want *Fleet) ([]byte, error) {
	got, err := Read(path, raw, feeds)
	if err != nil || !reflect.DeepEqual(normal(got), normal(want)) {
		return nil, ErrByHand
	}
	return raw, nil
}

// normal replaces nil lists by empty ones, for comparisons.
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

// text is a file as lines, with the position of its devices.
type text struct {
	lines   []string // each with its line break
	devices *ast.SequenceNode
	next    int // line of the key after the devices; 0: none
}

func parseText(raw []byte) (*text, error) {
	parsed, err := settings.Parse(raw)
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

// append adds devices after the last one, and returns the text.
func (t *text) append(devices []Device) []byte {
	if n := len(t.lines); n > 0 && !strings.HasSuffix(t.lines[n-1], "\n") {
		t.lines[n-1] += "\n"
	}
	at, column := len(t.lines), 1
	if t.devices == nil {
		t.lines = append(t.lines, "devices:\n")
		at++
	} else {
		at, column = t.endBefore(t.next), t.devices.Start.Position.Column
	}
	var added []string
	for i := range devices {
		added = append(added, itemLines(column, &devices[i])...)
	}
	t.lines = slices.Insert(t.lines, at, added...)
	return t.bytes()
}

// endBefore returns the number of lines before a line (0: before the end), without the blank lines and comments
// directly before it.
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

// itemLines returns a device as an item of a list whose "-" is in a column.
func itemLines(column int, d *Device) []string {
	lines := []string{"id: " + quoteYAML(d.ID), "feed: " + quoteYAML(d.Feed)}
	if len(d.Topics) > 0 {
		lines = append(lines, "topics: "+flowList(d.Topics))
	}
	if d.Rate > 0 {
		lines = append(lines, "rate: "+strconv.FormatInt(d.Rate, 10))
	}
	lines = append(lines, changeableLines(d)...)
	for i := range lines {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		lines[i] = strings.Repeat(" ", column-1) + lead + lines[i] + "\n"
	}
	return lines
}

// changeableLines returns the lines of the keys that Change modifies.
func changeableLines(d *Device) []string {
	var lines []string
	if len(d.Secrets) > 0 {
		lines = append(lines, "secrets: "+flowList(d.Secrets))
	}
	if d.Mosquitto != "" {
		lines = append(lines, "mosquitto: "+quoteYAML(d.Mosquitto))
	}
	if d.Disabled {
		lines = append(lines, "disabled: true")
	}
	return lines
}

// flowList returns texts as a YAML list on one line.
func flowList(all []string) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = quoteYAML(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// quoteYAML returns a text in quotes if YAML would not read it back unchanged without.
func quoteYAML(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/", r))
	})
	if plain && s[0] != '-' {
		return s
	}
	return strconv.Quote(s)
}

// set replaces the changeable keys of device i.
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
			return ErrByHand // the line of the key also contains the "-"
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
	for _, line := range changeableLines(d) {
		keep = append(keep, strings.Repeat(" ", column-1)+line+"\n")
	}
	t.lines = slices.Replace(t.lines, from-1, end, keep...)
	return nil
}

// remove removes the lines of device i. The lines of those behind it must not be used any more.
func (t *text) remove(i int) {
	from, end := t.startOf(i), t.endOf(i)
	t.lines = slices.Delete(t.lines, from-1, max(end, from))
}

// startOf returns the first line of device i.
func (t *text) startOf(i int) int {
	item := t.devices.Values[i]
	line := item.GetToken().Position.Line
	if m, ok := item.(ast.MapNode); ok {
		for k := m.MapRange(); k.Next(); {
			line = min(line, k.Key().GetToken().Position.Line)
		}
	}
	return line
}

// endOf returns the last line of device i.
func (t *text) endOf(i int) int {
	if i+1 == len(t.devices.Values) {
		return t.endBefore(t.next)
	}
	return t.endBefore(t.startOf(i + 1))
}
