package odata

import (
	"strings"

	"nhip"
)

// Segment is a part of a path: a name with an id or without one.
type Segment struct {
	Name  string
	ID    string
	HasID bool
}

// maxSegments bounds a path.
const maxSegments = 12

// ReadPath reads a decoded path as Things('a')/Datastreams. A / inside quotes belongs to an id, and ” stands for '.
func ReadPath(path string) ([]Segment, error) {
	var out []Segment
	for path != "" {
		if len(out) == maxSegments {
			return nil, nhip.Errorf(nhip.CodeInvalid, "path", "must have at most %d parts", maxSegments)
		}
		end := strings.IndexAny(path, "/(")
		if end < 0 {
			return append(out, Segment{Name: path}), nil
		}
		s := Segment{Name: path[:end]}
		if path = path[end:]; path[0] == '(' {
			var ok bool
			if s.ID, path, ok = readID(path[1:]); !ok {
				return nil, nhip.Errorf(nhip.CodeInvalid, "path", "an id must be a number or a text in ' inside of ()")
			}
			s.HasID = true
		}
		out = append(out, s)
		if path == "" {
			break
		}
		if path[0] != '/' {
			return nil, nhip.Errorf(nhip.CodeInvalid, "path", "a / is expected behind )")
		}
		path = path[1:]
	}
	return out, nil
}

// readID reads an id and the ) behind it.
func readID(s string) (id, rest string, ok bool) {
	if strings.HasPrefix(s, "'") {
		id, size, ok := quoted(s)
		if !ok || !strings.HasPrefix(s[size:], ")") {
			return "", "", false
		}
		return id, s[size+1:], true
	}
	id, rest, ok = strings.Cut(s, ")")
	return id, rest, ok && id != "" && !strings.ContainsAny(id, "'/(")
}

// Quote returns an id as it stands in a path: in quotes, with ' doubled.
func Quote(id string) string { return "'" + strings.ReplaceAll(id, "'", "''") + "'" }
