package sta

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"nhip/api/odata"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// writer writes an answer.
type writer struct {
	*request
	buf []byte
}

// timeFormat is that of times, in UTC.
const timeFormat = "2006-01-02T15:04:05.999Z"

// value writes a value.
func (w *writer) value(v any) {
	switch v := v.(type) {
	case object:
		w.buf = append(w.buf, '{')
		for i, m := range v {
			w.name(m.name, i > 0)
			w.value(m.value)
		}
		w.buf = append(w.buf, '}')
	case time.Time:
		w.buf = append(w.buf, '"')
		w.buf = append(v.UTC().AppendFormat(w.buf, timeFormat), '"')
	case interval:
		w.buf = append(w.buf, '"')
		w.buf = append(v.from.UTC().AppendFormat(w.buf, timeFormat), '/')
		w.buf = append(v.to.UTC().AppendFormat(w.buf, timeFormat), '"')
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			w.buf = append(w.buf, "null"...)
			return
		}
		w.buf = strconv.AppendFloat(w.buf, v, 'f', -1, 64)
	case orb.Geometry:
		w.json(geojson.NewGeometry(v))
	default:
		w.json(v)
	}
}

func (w *writer) json(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		raw = []byte("null")
	}
	w.buf = append(w.buf, raw...)
}

// name writes the name of a member.
func (w *writer) name(name string, further bool) {
	if further {
		w.buf = append(w.buf, ',')
	}
	w.json(name)
	w.buf = append(w.buf, ':')
}

// entity writes an entity with what is selected and expanded.
func (w *writer) entity(e *entity, o *odata.Options) error {
	if err := w.charge(1, 0); err != nil {
		return err
	}
	selected := func(name string) bool { return o.Select == nil || slices.Contains(o.Select, name) }
	w.buf = append(w.buf, '{')
	begin := len(w.buf)
	add := func(name string, v any) {
		w.name(name, len(w.buf) > begin)
		w.value(v)
	}
	if selected("id") || selected("@iot.id") {
		add("@iot.id", e.id)
		add("@iot.selfLink", w.link(e))
	}
	for _, m := range e.kind.properties(e) {
		// Optional members without a value are left out.
		if selected(m.name) && (m.value != nil || m.name != "validTime" && m.name != "observedArea") {
			add(m.name, m.value)
		}
	}
	for i := range e.kind.relations {
		r := &e.kind.relations[i]
		at := slices.IndexFunc(o.Expand, func(x odata.Expand) bool { return x.Relation == r.name })
		if at < 0 {
			if selected(r.name) {
				add(r.name+"@iot.navigationLink", w.link(e)+"/"+r.name)
			}
			continue
		}
		if err := w.expand(e, r, &o.Expand[at].Options, len(w.buf) > begin); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

// expand writes the entities that a relation leads to.
func (w *writer) expand(e *entity, r *relation, o *odata.Options, further bool) error {
	if r.single {
		w.name(r.name, further)
		to := r.follow(w.city, e)
		if len(to) == 0 {
			w.buf = append(w.buf, "null"...)
			return nil
		}
		return w.entity(to[0], o)
	}
	var p *page
	var err error
	if r.follow == nil {
		p, err = w.readings(scopeOf(e), o)
	} else {
		p, err = w.pick(r.follow(w.city, e), o)
	}
	if err != nil {
		return err
	}
	if o.Count {
		w.name(r.name+"@iot.count", further)
		w.value(float64(p.count))
		further = true
	}
	w.name(r.name, further)
	if err := w.list(p.entities, o); err != nil {
		return err
	}
	if p.more {
		w.name(r.name+"@iot.nextLink", true)
		w.value(w.link(e) + "/" + r.name + "?" + nestedQuery(o, p).Encode())
	}
	return nil
}

// nestedQuery returns the options of the next page of an expanded relation, as far as they can be written again: the
// $filter of one is in the request only as a part of $expand.
func nestedQuery(o *odata.Options, p *page) url.Values {
	v := url.Values{}
	for name, text := range o.Texts {
		v.Set(name, text)
	}
	continueAt(v, o, p)
	return v
}

// continueAt sets where the next page begins.
func continueAt(v url.Values, o *odata.Options, p *page) {
	v.Del("$skip")
	v.Del("$skiptoken")
	if p.token != "" {
		v.Set("$skiptoken", p.token)
		return
	}
	v.Set("$skip", strconv.Itoa(o.Skip+len(p.entities)))
}

func (w *writer) list(all []*entity, o *odata.Options) error {
	w.buf = append(w.buf, '[')
	for i, e := range all {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.entity(e, o); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

// set writes a page of a set.
func (w *writer) set(f *found, t *target, o *odata.Options) error {
	var p *page
	var err error
	if f.scope != nil {
		p, err = w.readings(f.scope, o)
	} else {
		p, err = w.pick(f.set, o)
	}
	if err != nil {
		return err
	}
	w.buf = append(w.buf, '{')
	if o.Count {
		w.name("@iot.count", false)
		w.value(float64(p.count))
	}
	if p.more {
		w.name("@iot.nextLink", o.Count)
		v := w.url.Query()
		continueAt(v, o, p)
		next := url.URL{Path: w.url.Path, RawPath: w.url.RawPath, RawQuery: v.Encode()}
		w.value(w.base[:len(w.base)-len(root)] + next.String())
	}
	w.name("value", o.Count || p.more)
	switch {
	case t.ref:
		w.refs(p.entities)
	case o.Format != "":
		err = w.dataArray(p.entities, o)
	default:
		err = w.list(p.entities, o)
	}
	w.buf = append(w.buf, '}')
	return err
}

// refs writes the addresses of entities.
func (w *writer) refs(all []*entity) {
	w.buf = append(w.buf, '[')
	for i, e := range all {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.value(object{{"@iot.selfLink", w.link(e)}})
	}
	w.buf = append(w.buf, ']')
}

// dataArray writes observations as tables, one for each datastream.
func (w *writer) dataArray(all []*entity, o *odata.Options) error {
	if err := w.charge(len(all), 0); err != nil {
		return err
	}
	columns := o.Select
	if columns == nil {
		columns = []string{"id", "phenomenonTime", "result", "resultTime", "resultQuality", "parameters"}
	}
	columns = slices.DeleteFunc(slices.Clone(columns),
		func(name string) bool { return observations.relation(name) != nil })
	rows := make(map[string][]*entity)
	var order []*entity // the first of each datastream
	for _, e := range all {
		id := streamID(e.station.ID, e.quantity)
		if rows[id] == nil {
			order = append(order, e)
		}
		rows[id] = append(rows[id], e)
	}
	w.buf = append(w.buf, '[')
	for i, first := range order {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		of := rows[streamID(first.station.ID, first.quantity)]
		w.buf = append(w.buf, '{')
		w.name("Datastream@iot.navigationLink", false)
		w.value(w.link(&entity{kind: datastreams, id: streamID(first.station.ID, first.quantity)}))
		w.name("components", true)
		w.json(columns)
		w.name("dataArray@iot.count", true)
		w.value(float64(len(of)))
		w.name("dataArray", true)
		w.rows(of, columns)
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
	return nil
}

func (w *writer) rows(of []*entity, columns []string) {
	w.buf = append(w.buf, '[')
	for i, e := range of {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, '[')
		for j, column := range columns {
			if j > 0 {
				w.buf = append(w.buf, ',')
			}
			v, _ := propertyOf(e, []string{column})
			w.value(v)
		}
		w.buf = append(w.buf, ']')
	}
	w.buf = append(w.buf, ']')
}
