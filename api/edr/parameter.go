package edr

import (
	"slices"
	"strings"

	"nhip"
	"nhip/geo/aqi"
)

// parameter is a parameter of a collection in the sense of EDR: something that has values.
type parameter struct {
	id       string
	quantity nhip.Quantity // "" of the index
	role     role
	name     nhip.LocalizedText
	about    nhip.LocalizedText
	unit     string // for people
	ucum     string // by The Unified Code for Units of Measure
	property string // URI of the observed property
	method   string // how the value stands for its duration
	duration string // ISO 8601
	steps    float64
}

// role says which number of an estimate or a mean a parameter is.
type role int

const (
	roleValue role = iota
	roleLow        // 10th percentile of the estimate
	roleHigh       // 90th percentile
	roleFlag       // QARTOD flag of an hour
)

// standardNames are the CF standard names of the quantities; a quantity without one is not among them.
var standardNames = map[nhip.Quantity]string{
	nhip.PM1:         "mass_concentration_of_pm1_ambient_aerosol_particles_in_air",
	nhip.PM25:        "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air",
	nhip.PM10:        "mass_concentration_of_pm10_ambient_aerosol_particles_in_air",
	nhip.SO2:         "mass_concentration_of_sulfur_dioxide_in_air",
	nhip.NO:          "mass_concentration_of_nitrogen_monoxide_in_air",
	nhip.NO2:         "mass_concentration_of_nitrogen_dioxide_in_air",
	nhip.CO:          "mass_concentration_of_carbon_monoxide_in_air",
	nhip.O3:          "mass_concentration_of_ozone_in_air",
	nhip.Temperature: "air_temperature",
	nhip.Humidity:    "relative_humidity",
	nhip.Pressure:    "air_pressure",
}

// propertyOf returns the URI of what a quantity observes, "" if no vocabulary has it.
func propertyOf(q nhip.Quantity) string {
	if name := standardNames[q]; name != "" {
		return "http://vocab.nerc.ac.uk/standard_name/" + name + "/"
	}
	return ""
}

// ucumUnits are the UCUM codes of the platform's units.
var ucumUnits = map[string]string{"µg/m³": "ug/m3", "°C": "Cel", "%": "%", "Pa": "Pa"}

// airParameters are the parameters of the air between the monitors, each with the bounds of its 80 % interval.
func airParameters() []parameter {
	out := withRange(parameter{
		id: "vn_aqi", unit: "VN_AQI", ucum: "1", method: "index", duration: "PT1H", steps: 100,
		name: nhip.LocalizedText{Vi: "Chỉ số VN_AQI", En: "Air quality index VN_AQI"},
		about: nhip.LocalizedText{
			Vi: "VN_AQI giờ, ước tính giữa các trạm",
			En: "Hourly VN_AQI, estimated between the monitors",
		},
	})
	for _, a := range aqi.Averages(nhip.ScaleVNAQI) {
		method, about := "mean", nhip.LocalizedText{Vi: "Nồng độ ước tính: ", En: "Estimated concentration: "}
		about.Vi, about.En = about.Vi+a.Name, about.En+a.Name
		if strings.HasPrefix(a.Name, "nowcast") {
			method = a.Name
		}
		out = append(out, withRange(parameter{
			id: string(a.Quantity), quantity: a.Quantity, name: a.Quantity.Name(), about: about, unit: a.Quantity.Unit(),
			ucum: ucumUnits[a.Quantity.Unit()], property: propertyOf(a.Quantity), method: method, duration: "PT1H", steps: 10,
		})...)
	}
	return out
}

// withRange returns a parameter, followed by the bounds of its 80 % interval.
func withRange(p parameter) []parameter {
	low, high := p, p
	low.id, low.role, low.method = p.id+"_low", roleLow, "10th percentile"
	high.id, high.role, high.method = p.id+"_high", roleHigh, "90th percentile"
	low.name = nhip.LocalizedText{Vi: p.name.Vi + ", cận dưới", En: p.name.En + ", lower bound"}
	high.name = nhip.LocalizedText{Vi: p.name.Vi + ", cận trên", En: p.name.En + ", upper bound"}
	low.about = nhip.LocalizedText{
		Vi: "Cận dưới của khoảng chứa 8 trên 10 giá trị", En: "10th percentile: lower bound of the 80 % interval",
	}
	high.about = nhip.LocalizedText{
		Vi: "Cận trên của khoảng chứa 8 trên 10 giá trị", En: "90th percentile: upper bound of the 80 % interval",
	}
	return []parameter{p, low, high}
}

// stationQuantities are the quantities of stations, in the order in which they are listed.
var stationQuantities = []nhip.Quantity{
	nhip.PM25, nhip.PM10, nhip.PM1, nhip.TSP, nhip.O3, nhip.NO2, nhip.NO, nhip.SO2, nhip.CO, nhip.Temperature,
	nhip.Humidity, nhip.Pressure,
}

// stationParameters are the parameters of stations, each with its flag.
func stationParameters() []parameter {
	var out []parameter
	for _, q := range stationQuantities {
		p := parameter{
			id: string(q), quantity: q, name: q.Name(), unit: q.Unit(), ucum: ucumUnits[q.Unit()], property: propertyOf(q),
			method: "mean", duration: "PT1H", steps: 10,
			about: nhip.LocalizedText{Vi: "Trung bình giờ, đã duyệt", En: "Hourly mean, as reviewed"},
		}
		flag := p
		flag.id, flag.role, flag.unit, flag.ucum, flag.method, flag.steps = p.id+"_flag", roleFlag, "", "1", "flag", 1
		flag.name = nhip.LocalizedText{Vi: p.name.Vi + ", cờ chất lượng", En: p.name.En + ", quality flag"}
		flag.about = nhip.LocalizedText{
			Vi: "Cờ QARTOD: 1 tốt, 2 chưa đánh giá, 3 nghi ngờ, 4 hỏng",
			En: "QARTOD flag: 1 good, 2 not evaluated, 3 suspect, 4 fail",
		}
		out = append(out, p, flag)
	}
	return out
}

// selectParameters returns the parameters of a list of ids separated by commas, in the order of all. An id that is not
// among them is an error.
func selectParameters(all []parameter, list string) ([]parameter, error) {
	ids := strings.Split(list, ",")
	for i, id := range ids {
		ids[i] = strings.TrimSpace(id)
		if !slices.ContainsFunc(all, func(p parameter) bool { return p.id == ids[i] }) {
			return nil, nhip.Errorf(nhip.CodeInvalid, "parameter-name", "must name parameters of the collection, as in %s,%s",
				all[0].id, all[1].id)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p parameter) bool { return !slices.Contains(ids, p.id) }), nil
}
