package sim

import (
	"math"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// airValues is the state of the air at one place and time, in the platform's units.
type airValues map[nhip.Quantity]float64

// quantities are measured by every monitor, in the order of its payload.
var quantities = [...]nhip.Quantity{
	nhip.PM25, nhip.PM10, nhip.SO2, nhip.NO2, nhip.CO, nhip.O3, nhip.Temperature, nhip.Humidity,
}

// airField is the city's air as a smooth field in space and time. It is a pure function of its seed, the place and the
// time, so that the backlog and the present are consistent.
type airField struct {
	seed  uint64
	plane plane
}

// Seeds of the noise functions.
const (
	seedRegime uint64 = 100 + iota
	seedFront
	seedPuff
	seedDust
	seedWarm
	seedCloud
)

// at returns the air at a place and time. Local time is UTC+7 all year.
func (s *airField) at(p orb.Point, t time.Time) airValues {
	m := s.conditionsAt(t)
	flat := s.plane.toPlane(p)
	roads, works := emissions(s.plane, flat)
	roads *= 0.25 + 0.75*m.traffic
	puff := smooth3(s.seed+seedPuff, flat[0]/6000, flat[1]/6000, m.hours/3)
	dust := smooth3(s.seed+seedDust, flat[0]/3000, flat[1]/3000, m.hours/2)

	pm25 := max(m.basePM25*(0.78+0.28*roads+0.3*works+0.15*puff), 3)
	no2 := max((12+58*roads+8*works)*math.Sqrt(m.basePM25/60)*(1-0.35*m.sun)*(1+0.12*puff), 3) // photolysis
	warmth := m.temperature + 0.8*roads
	return airValues{
		nhip.PM25:        pm25,
		nhip.PM10:        pm25*(1.32+0.1*dust) + 14*roads + 4,
		nhip.NO2:         no2,
		nhip.CO:          350 + 9*pm25 + 900*roads*(1+0.1*puff),
		nhip.SO2:         max(6+0.08*pm25+22*works*(1+0.2*puff), 1),
		nhip.O3:          max(28+115*m.sun*m.summer*(1-0.25*m.cloud)-0.45*no2+6*puff, 2),
		nhip.Temperature: warmth,
		nhip.Humidity:    min(max(76+5*m.cloud-3.2*(warmth-m.seasonalMean), 28), 98.5),
	}
}

// conditions are the conditions that apply to the whole city.
type conditions struct {
	hours        float64 // since 1970
	basePM25     float64 // µg/m³ of PM2.5, city background
	traffic      float64 // 0 to 1
	sun          float64 // 0 at night, 1 in the early afternoon
	summer       float64 // 0.55 in January, 1 in July
	cloud        float64 // -1 to 1
	seasonalMean float64 // °C, daily mean of the season
	temperature  float64 // °C
}

func (s *airField) conditionsAt(t time.Time) conditions {
	hours := float64(t.Unix()) / hour
	local := math.Mod(hours+7, 24)
	season := math.Cos(2 * math.Pi * (float64(t.YearDay()) - 15) / 365) // 1 in mid January
	m := conditions{hours: hours, traffic: trafficLoad(local * hour), summer: 0.775 - 0.225*season}
	m.cloud = smooth1(s.seed+seedCloud, hours/17)
	m.sun = math.Pow(max(math.Cos((local-13.5)/12*math.Pi), 0), 1.3)
	m.seasonalMean = 23.8 - 6.2*season + 3*smooth1(s.seed+seedWarm, hours/80)
	m.temperature = m.seasonalMean + 3.2*(1-0.4*m.cloud)*math.Cos((local-14.5)/12*math.Pi)
	m.basePM25 = s.regime(hours) * (0.72 + 0.28*season) * s.mixing(local)
	return m
}

// regime returns the part of PM2.5 that changes with the weather over days: stagnant air accumulates particles and a
// front from the north clears them. It is 30 to 110 µg/m³ in winter.
func (s *airField) regime(hours float64) float64 {
	slow := smooth1(s.seed+seedRegime, hours/60)
	fast := smooth1(s.seed+seedFront, hours/19)
	return 57 * math.Exp(0.48*slow+0.18*fast)
}

// mixing returns the factor of the time of day: the mixing layer is high in the afternoon and low in the evening, at
// night and in the morning rush.
func (s *airField) mixing(local float64) float64 {
	afternoon := 0.25 * math.Exp(-sq(local-14.5)/8)
	morning := 0.16 * math.Exp(-sq(local-8)/3)
	evening := 0.14 * math.Exp(-(sq(wrapHours(local-21)) / 9))
	return 1 - afternoon + morning + evening
}

// wrapHours wraps a difference of hours into [-12, 12).
func wrapHours(h float64) float64 { return math.Mod(h+36, 24) - 12 }

func sq(x float64) float64 { return x * x }

// source is a source of emissions.
type source struct {
	point  orb.Point
	radius float64 // m
	weight float64
}

// busyRoads are the junctions with the heaviest traffic.
var busyRoads = []source{
	{orb.Point{105.7790, 21.0368}, 1300, 0.8}, // Mai Dịch
	{orb.Point{105.8020, 20.9935}, 1500, 0.9}, // Nguyễn Trãi and the third ring road
	{orb.Point{105.8205, 21.0033}, 1200, 0.8}, // Ngã Tư Sở
	{orb.Point{105.8412, 20.9985}, 1300, 0.8}, // Ngã Tư Vọng
	{orb.Point{105.8425, 20.9660}, 1600, 0.7}, // Pháp Vân
	{orb.Point{105.8030, 21.0303}, 1100, 0.6}, // Cầu Giấy
	{orb.Point{105.8540, 21.0360}, 1100, 0.7}, // the ends of Chương Dương bridge
	{orb.Point{105.8740, 20.9985}, 1200, 0.6}, // the end of Vĩnh Tuy bridge
	{orb.Point{105.7935, 21.0080}, 1300, 0.7}, // the third ring road and Đại lộ Thăng Long
	{orb.Point{105.8890, 21.0500}, 1400, 0.6}, // Cầu Chui
	{orb.Point{105.7840, 21.0850}, 1600, 0.5}, // Thăng Long bridge
}

// works are craft villages and industry. The craft villages are in the south-west.
var works = []source{
	{orb.Point{105.7965, 20.9825}, 1800, 0.9}, // Triều Khúc: plastics
	{orb.Point{105.7600, 20.9550}, 2600, 0.6}, // craft villages beyond Hà Đông
	{orb.Point{105.8470, 20.9440}, 2400, 0.8}, // Văn Điển
	{orb.Point{105.9150, 21.0330}, 2200, 0.6}, // Sài Đồng
	{orb.Point{105.9130, 20.9760}, 1500, 0.5}, // Bát Tràng: kilns
	{orb.Point{105.7800, 21.1200}, 2600, 0.6}, // industry beyond Thăng Long bridge
	{orb.Point{105.8250, 20.9900}, 1600, 0.4}, // Thượng Đình
}

// emissions returns the influence of roads and works at a point of the plane: 0 in the fields, about 1 next to a
// source.
func emissions(f plane, at orb.Point) (road, work float64) {
	return influence(f, at, busyRoads), influence(f, at, works)
}

func influence(f plane, at orb.Point, list []source) float64 {
	sum := 0.0
	for _, s := range list {
		d := length(subtract(f.toPlane(s.point), at))
		sum += s.weight * math.Exp(-sq(d/s.radius)/2)
	}
	return min(sum, 1.4) // bounds places near several sources
}
