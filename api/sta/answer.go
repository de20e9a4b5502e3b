package sta

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"nhip"
	"nhip/api/odata"
	"nhip/api/rest"
)

// The bounds of an answer.
const (
	defaultTop  = 100
	maxTop      = 1000
	maxEntities = 10_000 // with expanded ones
	maxQueries  = 100    // of the history
)

// request is the state of one request.
type request struct {
	*Handler
	ctx      context.Context
	city     *city
	base     string // URL of the service root
	url      *url.URL
	raw      error // nil if the caller may read raw values
	reviews  map[string][]nhip.Review
	entities int
	queries  int
}

// scope is which observations a path leads to: of a station, nil for all, and of a quantity.
type scope struct {
	stations   []string
	quantities []nhip.Quantity
}

// found is what a path leads to.
type found struct {
	kind  *kind
	one   *entity
	set   []*entity // of a set in memory
	scope *scope    // of a set of observations
}

// answer returns the body of an answer with its media type.
func (h *Handler) answer(r *http.Request, t *target, o *odata.Options) ([]byte, string, error) {
	c, err := h.readCity(r.Context())
	if err != nil {
		return nil, "", err
	}
	q := &request{
		Handler: h, ctx: r.Context(), city: c, base: h.BaseURL(r) + root, url: r.URL,
		raw: rest.PermissionError(r, nhip.MayReadAir), reviews: make(map[string][]nhip.Review),
	}
	f, err := q.find(t)
	if err != nil {
		return nil, "", err
	}
	w := &writer{request: q}
	switch {
	case t.value:
		v, err := propertyOf(f.one, t.property)
		if err != nil {
			return nil, "", err
		}
		if s, ok := v.(string); ok {
			return []byte(s), "text/plain; charset=utf-8", nil
		}
		w.value(v)
		return w.buf, "text/plain; charset=utf-8", nil
	case t.property != nil:
		v, err := propertyOf(f.one, t.property)
		if err != nil {
			return nil, "", err
		}
		w.value(object{{t.property[len(t.property)-1], v}})
	case f.one != nil && t.ref:
		w.value(object{{"@iot.selfLink", q.link(f.one)}})
	case f.one != nil:
		err = w.entity(f.one, o)
	default:
		err = w.set(f, t, o)
	}
	return append(w.buf, '\n'), rest.FormatJSON, err
}

// propertyOf returns a property of an entity, or a member of it. The error has nhip.CodeNotFound.
func propertyOf(e *entity, path []string) (any, error) {
	if isID(path[0]) && len(path) == 1 {
		return e.id, nil
	}
	var v any = e.kind.properties(e)
	for _, name := range path {
		o, _ := v.(object)
		var ok bool
		if v, ok = o.get(name); !ok {
			return nil, noSuch(name)
		}
	}
	return v, nil
}

// find follows a path.
func (q *request) find(t *target) (*found, error) {
	var f *found
	for i := range t.steps {
		s := &t.steps[i]
		next, err := q.step(f, s)
		if err != nil {
			return nil, err
		}
		f = next
	}
	return f, nil
}

// step follows a part of a path from the entity that it led to so far, nil at the begin.
func (q *request) step(from *found, s *step) (*found, error) {
	f := &found{kind: s.kind}
	if s.kind == observations {
		f.scope = new(scope)
		if from != nil {
			f.scope = scopeOf(from.one)
		}
		if !s.hasID {
			return f, nil
		}
		var err error
		f.one, err = q.observation(s.id, f.scope)
		return f, err
	}
	switch {
	case from != nil:
		f.set = s.relation.follow(q.city, from.one)
	case !s.hasID:
		f.set = s.kind.all(q.city)
	default:
		f.set = some(s.kind.one(q.city, s.id))
	}
	if !s.single() {
		return f, nil
	}
	at := slices.IndexFunc(f.set, func(e *entity) bool { return !s.hasID || e.id == s.id })
	if at < 0 {
		return nil, nhip.Errorf(nhip.CodeNotFound, "path", "there is no such %s", s.kind.name)
	}
	f.one = f.set[at]
	return f, nil
}

// scopeOf returns which observations belong to a datastream or to a feature of interest.
func scopeOf(e *entity) *scope {
	s := &scope{stations: []string{e.station.ID}}
	if e.quantity != "" {
		s.quantities = []nhip.Quantity{e.quantity}
	}
	return s
}

// link returns the URL of an entity.
func (q *request) link(e *entity) string {
	id := odata.Quote(e.id)
	return q.base + "/" + e.kind.set + "('" + url.PathEscape(id[1:len(id)-1]) + "')"
}

// values returns the values of a path of properties for filters and orders.
func (q *request) values(e *entity, path []string) ([]any, error) {
	if r := e.kind.relation(path[0]); r != nil && r.follow != nil && len(path) > 1 {
		var out []any
		for _, to := range r.follow(q.city, e) {
			v, err := q.values(to, path[1:])
			if err != nil {
				return nil, err
			}
			out = append(out, v...)
		}
		return out, nil
	}
	v, err := propertyOf(e, path)
	if err != nil {
		v = nil // a member that another entity may have
	}
	return []any{filterValue(v)}, nil
}

// matches reports whether an entity meets a filter.
func (q *request) matches(e *entity, filter *odata.Expression) (bool, error) {
	if filter == nil {
		return true, nil
	}
	return filter.Matches(&odata.Context{
		Lookup: func(path []string) ([]any, error) { return q.values(e, path) }, Now: q.Clock.Now(),
	})
}

// page is a page of a set.
type page struct {
	entities []*entity
	count    int    // of the whole set, if it is asked for
	token    string // of observations: where the next page begins
	more     bool
}

// pick filters and orders entities in memory and returns a page of them.
func (q *request) pick(set []*entity, o *odata.Options) (*page, error) {
	var kept []*entity
	for _, e := range set {
		ok, err := q.matches(e, o.Filter)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, e)
		}
	}
	if err := q.sort(kept, o.OrderBy); err != nil {
		return nil, err
	}
	return cut(kept, o), nil
}

// cut returns the page of an ordered set.
func cut(kept []*entity, o *odata.Options) *page {
	p := &page{count: len(kept)}
	kept = kept[min(o.Skip, len(kept)):]
	top := topOf(o)
	p.more = len(kept) > top
	p.entities = kept[:min(top, len(kept))]
	return p
}

// topOf returns the size of a page.
func topOf(o *odata.Options) int {
	if o.Top < 0 {
		return defaultTop
	}
	return min(o.Top, maxTop)
}

// sort orders entities. Those that are equal keep their order.
func (q *request) sort(set []*entity, by []odata.Order) (err error) {
	if len(by) == 0 {
		return nil
	}
	keys := make(map[*entity][]any, len(set))
	for _, e := range set {
		for _, order := range by {
			values, _ := q.values(e, order.Path)
			var key any
			if len(values) > 0 {
				key = values[0]
			}
			keys[e] = append(keys[e], key)
		}
	}
	slices.SortStableFunc(set, func(a, b *entity) int {
		for i, order := range by {
			n, failed := odata.Compare(keys[a][i], keys[b][i])
			if failed != nil {
				err = nhip.Errorf(nhip.CodeInvalid, "$orderby", "must name properties that have an order")
			}
			if n == 0 {
				continue
			}
			if order.Descending {
				return -n
			}
			return n
		}
		return 0
	})
	return err
}

// charge counts what an answer costs.
func (q *request) charge(entities, queries int) error {
	q.entities += entities
	q.queries += queries
	switch {
	case q.entities > maxEntities:
		return nhip.Errorf(nhip.CodeInvalid, "$expand", "leads to more than %d entities: use $top, also inside of $expand",
			maxEntities)
	case q.queries > maxQueries:
		return nhip.Errorf(nhip.CodeInvalid, "$expand", "asks for more than %d sets of Observations or for reviews of as "+
			"many stations: use $top or a narrower $filter", maxQueries)
	}
	return nil
}
