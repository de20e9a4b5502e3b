package sta

import (
	"cmp"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

const geoJSONType = "application/geo+json"

// nameOf returns the display name of a station.
func nameOf(s *nhip.Station) string { return cmp.Or(s.Name.Vi, s.Name.En, s.ID) }

func thingOf(e *entity) object {
	s := e.station
	properties := object{{"mobile", s.Mobile}}
	for _, m := range []member{
		{"name_en", s.Name.En}, {"kind", s.Kind}, {"owner", s.Owner}, {"area", s.Area}, {"origin", string(s.Origin)},
	} {
		if m.value != "" {
			properties = append(properties, m)
		}
	}
	return object{
		{"name", nameOf(s)}, {"description", "Station of air quality " + s.ID}, {"properties", properties},
	}
}

func locationOf(e *entity) object {
	p, _ := e.station.Point()
	return object{
		{"name", nameOf(e.station)},
		{"description", "Position of the station " + e.station.ID},
		{"encodingType", geoJSONType},
		{"location", p},
	}
}

// pastPlaceOf returns the present position: of earlier ones there is no list.
func pastPlaceOf(e *entity) object { return object{{"time", timeOrNull(e.station.Time)}} }

func sensorOf(e *entity) object {
	kind := cmp.Or(e.station.Kind, "unknown")
	return object{
		{"name", "Instruments of " + nameOf(e.station)},
		{"description", "Instruments of the station, kind: " + kind},
		{"encodingType", "text/plain"},
		{"metadata", kind},
	}
}

func featureOf(e *entity) object {
	var feature any = object{{"type", "Feature"}, {"geometry", nil}, {"properties", object{}}} // its position is not known
	if p, ok := e.station.Point(); ok {
		feature = p
	}
	return object{
		{"name", nameOf(e.station)},
		{"description", "Ambient air at the station " + e.station.ID},
		{"encodingType", geoJSONType},
		{"feature", feature},
	}
}

// definitions are the entries of vocabularies for quantities: of the EEA's for pollutants, of CF's names for weather.
var definitions = map[nhip.Quantity]string{
	nhip.PM1: eea + "6002", nhip.PM25: eea + "6001", nhip.PM10: eea + "5", nhip.TSP: eea + "4", nhip.SO2: eea + "1",
	nhip.NO: eea + "38", nhip.NO2: eea + "8", nhip.CO: eea + "10", nhip.O3: eea + "7",
	nhip.Temperature: cf + "air_temperature", nhip.Humidity: cf + "relative_humidity", nhip.Pressure: cf + "air_pressure",
	nhip.WindSpeed: cf + "wind_speed", nhip.WindDirection: cf + "wind_from_direction",
}

const (
	eea = "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/"
	cf  = "http://vocab.nerc.ac.uk/standard_name/"
)

func quantityOf(e *entity) object {
	return object{
		{"name", e.quantity.Name().En},
		{"definition", definitions[e.quantity]},
		{"description", e.quantity.Name().Vi},
	}
}

func datastreamOf(e *entity) object {
	d, q := e.stream, e.quantity
	var period, results, area any
	if !d.last.IsZero() {
		period, results = interval{d.first, d.last}, interval{d.first, d.last}
	}
	if p, ok := d.station.Point(); ok {
		area = p
	}
	return object{
		{"name", q.Name().En + ", " + nameOf(d.station)},
		{"description", q.Name().Vi + " tại " + nameOf(d.station)},
		{"observationType", "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"},
		{"unitOfMeasurement", object{{"name", q.Unit()}, {"symbol", q.Unit()}, {"definition", "ucum:" + ucum[q.Unit()]}}},
		{"observedArea", area},
		{"phenomenonTime", period},
		{"resultTime", results},
		{"properties", object{{"quantity", string(q)}}},
	}
}

// ucum are the codes of units in the Unified Code for Units of Measure.
var ucum = map[string]string{"µg/m³": "ug/m3", "°C": "Cel", "%": "%", "Pa": "Pa", "m/s": "m/s", "°": "deg"}

func observationOf(e *entity) object {
	o := e.reading
	quality := object{{"flag", float64(o.flag)}}
	if o.Assessment.Tests != "" {
		quality = append(quality, member{"tests", o.Assessment.Tests})
	}
	parameters := object{{"level", string(o.level)}, {"period", nhip.FormatPeriod(o.Period)}}
	if o.level == nhip.QualityReviewed {
		parameters = append(parameters, member{"reviewed", o.reviewed})
	}
	if o.Assessment.Rule != "" && o.level != nhip.QualityRaw {
		parameters = append(parameters, member{"correction", o.Assessment.Rule})
	}
	if o.Origin != "" {
		parameters = append(parameters, member{"origin", string(o.Origin)})
	}
	return object{
		{"phenomenonTime", interval{o.Time.Add(-o.Period), o.Time}},
		{"result", o.result},
		{"resultTime", o.Time},
		{"resultQuality", quality},
		{"validTime", nil},
		{"parameters", parameters},
	}
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// get returns a member of an object, and whether it has one.
func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// filterValue returns a property as filters compare it: of an interval, its end.
func filterValue(v any) any {
	switch v := v.(type) {
	case interval:
		return v.to
	case orb.Point:
		return orb.Geometry(v)
	}
	return v
}
