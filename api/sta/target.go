package sta

import (
	"slices"

	"nhip"
	"nhip/api/odata"
)

// target is what a path leads to: a set, an entity or a property of one, as $ref or as $value.
type target struct {
	steps    []step   // at least one
	property []string // of the entity, with members of a structure
	ref      bool
	value    bool
}

// step is a part of a path that leads to entities.
type step struct {
	kind     *kind
	relation *relation // nil for the first one
	id       string
	hasID    bool
}

// single reports whether a step leads to one entity.
func (s *step) single() bool { return s.hasID || s.relation != nil && s.relation.single }

func (t *target) last() *step { return &t.steps[len(t.steps)-1] }

// noSuch is the answer to a path that leads to nothing.
func noSuch(name string) error {
	return nhip.Errorf(nhip.CodeNotFound, "path", "there is no %q here", name)
}

// readTarget reads the segments of a path.
func readTarget(segments []odata.Segment) (*target, error) {
	first := segments[0]
	at := slices.IndexFunc(kinds, func(k *kind) bool { return k.set == first.Name })
	if at < 0 {
		return nil, noSuch(first.Name)
	}
	t := &target{steps: []step{{kind: kinds[at], id: first.ID, hasID: first.HasID}}}
	for i, s := range segments[1:] {
		end := i == len(segments)-2
		switch {
		case s.Name == "$ref" && end && !s.HasID && t.property == nil:
			t.ref = true
		case s.Name == "$value" && end && !s.HasID && t.property != nil:
			t.value = true
		case t.property != nil && !s.HasID:
			t.property = append(t.property, s.Name)
		case t.property != nil || !t.last().single():
			return nil, noSuch(s.Name)
		default:
			if err := t.follow(s); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// follow adds a relation or a property of the entity that the path leads to so far.
func (t *target) follow(s odata.Segment) error {
	k := t.last().kind
	if r := k.relation(s.Name); r != nil {
		if r.single && s.HasID {
			return noSuch(s.Name + "(…)")
		}
		t.steps = append(t.steps, step{r.to, r, s.ID, s.HasID})
		return nil
	}
	if s.HasID || !slices.Contains(k.names, s.Name) && !isID(s.Name) {
		return noSuch(s.Name)
	}
	t.property = []string{s.Name}
	return nil
}

func isID(name string) bool { return name == "id" || name == "@iot.id" }

// check returns an error if options do not fit what the path leads to.
func (t *target) check(o *odata.Options) error {
	end := t.last()
	if err := checkOptions(end.kind, o); err != nil {
		return err
	}
	plural := !end.single()
	several := o.Filter != nil || o.OrderBy != nil || o.Top >= 0 || o.Skip > 0 || o.Count || o.Format != "" ||
		o.Token != ""
	switch {
	case several && !plural:
		return nhip.Errorf(nhip.CodeInvalid, "query", "only $select and $expand apply to one entity")
	case (t.property != nil || t.ref) && (o.Expand != nil || o.Select != nil):
		return nhip.Errorf(nhip.CodeInvalid, "query", "$select and $expand do not apply to a property or to $ref")
	case o.Format != "" && (end.kind != observations || o.Expand != nil || t.ref):
		return nhip.Errorf(nhip.CodeInvalid, "resultFormat", "dataArray is for Observations without $expand")
	case o.Token != "" && end.kind != observations:
		return nhip.Errorf(nhip.CodeInvalid, "$skiptoken", "is for Observations only")
	}
	return nil
}

// checkOptions checks the names in options, also in nested ones.
func checkOptions(k *kind, o *odata.Options) error {
	for _, name := range o.Select {
		if !slices.Contains(k.names, name) && !isID(name) && k.relation(name) == nil {
			return nhip.Errorf(nhip.CodeInvalid, "$select", "%q is no property of %s", name, k.name)
		}
	}
	for _, order := range o.OrderBy {
		if err := checkPath(k, "$orderby", order.Path); err != nil {
			return err
		}
	}
	err := o.Filter.Paths(func(path []string) error { return checkPath(k, "$filter", path) })
	if err != nil {
		return err
	}
	for i := range o.Expand {
		e := &o.Expand[i]
		r := k.relation(e.Relation)
		if r == nil {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "%q is no relation of %s", e.Relation, k.name)
		}
		if r.single && (e.Options.Filter != nil || e.Options.OrderBy != nil || e.Options.Top >= 0 || e.Options.Count ||
			e.Options.Skip > 0) {
			return nhip.Errorf(nhip.CodeInvalid, "$expand", "only $select and $expand apply to %s, which is one entity",
				e.Relation)
		}
		if err := checkOptions(r.to, &e.Options); err != nil {
			return err
		}
	}
	return nil
}

// checkPath checks a path of properties. Members of structures are not checked: another entity may have them.
func checkPath(k *kind, option string, path []string) error {
	for i, name := range path {
		switch r := k.relation(name); {
		case r != nil && r.follow == nil:
			return nhip.Errorf(nhip.CodeInvalid, option, "Observations are filtered where they are asked for, not from %s",
				k.set)
		case r != nil && i < len(path)-1:
			k = r.to
			continue
		case r == nil && (slices.Contains(k.names, name) || isID(name) && i == len(path)-1):
			return nil
		}
		return nhip.Errorf(nhip.CodeInvalid, option, "%q is no property of %s", name, k.name)
	}
	return nil
}
