package sim

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"nhip"
)

// air is what hangs over one place at one moment, in the platform's units.
type air map[nhip.Quantity]float64

// quantities are what every monitor measures, in the order of its payload.
var quantities = [...]nhip.Quantity{
	nhip.PM25, nhip.PM10, nhip.SO2, nhip.NO2, nhip.CO, nhip.O3, nhip.Temperature, nhip.Humidity,
}

// sky is the city's air as a smooth field in space and time. It is a pure function of its seed, the
// place and the moment, so that the past and the present fit together whoever asks first.
type sky struct {
	seed  uint64
	plane plane
}

// Seeds of the sky's noises.
const (
	skyRegime uint64 = 100 + iota
	skyFront
	skyPuff
	skyDust
	skyWarm
	skyCloud
)

// at returns the air at a place and a moment. Local time is UTC+7 all year.
func (s *sky) at(p orb.Point, t time.Time) air {
	m := s.moment(t)
	flat := s.plane.flat(p)
	roads, works := sources(s.plane, flat)
	roads *= 0.25 + 0.75*m.traffic
	puff := smooth3(s.seed+skyPuff, flat[0]/6000, flat[1]/6000, m.hours/3)
	dust := smooth3(s.seed+skyDust, flat[0]/3000, flat[1]/3000, m.hours/2)

	pm25 := max(m.stale*(0.78+0.28*roads+0.3*works+0.15*puff), 3)
	no2 := max((12+58*roads+8*works)*math.Sqrt(m.stale/60)*(1-0.35*m.sun)*(1+0.12*puff), 3) // the sun splits it
	warmth := m.temperature + 0.8*roads
	return air{
		nhip.PM25:        pm25,
		nhip.PM10:        pm25*(1.32+0.1*dust) + 14*roads + 4,
		nhip.NO2:         no2,
		nhip.CO:          350 + 9*pm25 + 900*roads*(1+0.1*puff),
		nhip.SO2:         max(6+0.08*pm25+22*works*(1+0.2*puff), 1),
		nhip.O3:          max(28+115*m.sun*m.summer*(1-0.25*m.cloud)-0.45*no2+6*puff, 2),
		nhip.Temperature: warmth,
		nhip.Humidity:    min(max(76+5*m.cloud-3.2*(warmth-m.usual), 28), 98.5),
	}
}

// moment is what the whole city has in common.
type moment struct {
	hours       float64 // since 1970
	stale       float64 // µg/m³ of PM2.5 that hang over the city
	traffic     float64 // 0 to 1
	sun         float64 // 0 at night, 1 in the early afternoon
	summer      float64 // 0.55 in January, 1 in July
	cloud       float64 // -1 to 1
	usual       float64 // °C, the season's daily mean
	temperature float64 // °C
}

func (s *sky) moment(t time.Time) moment {
	hours := float64(t.Unix()) / hour
	local := math.Mod(hours+7, 24)
	season := math.Cos(2 * math.Pi * (float64(t.YearDay()) - 15) / 365) // 1 in mid January
	m := moment{hours: hours, traffic: busyness(local * hour), summer: 0.775 - 0.225*season}
	m.cloud = smooth1(s.seed+skyCloud, hours/17)
	m.sun = math.Pow(max(math.Cos((local-13.5)/12*math.Pi), 0), 1.3)
	m.usual = 23.8 - 6.2*season + 3*smooth1(s.seed+skyWarm, hours/80)
	m.temperature = m.usual + 3.2*(1-0.4*m.cloud)*math.Cos((local-14.5)/12*math.Pi)
	m.stale = s.regime(hours) * (0.72 + 0.28*season) * s.mixing(local)
	return m
}

// regime is the weather's part, over days: stagnant air gathers, a front from the north sweeps it
// out. 30 to 110 µg/m³ in winter.
func (s *sky) regime(hours float64) float64 {
	slow := smooth1(s.seed+skyRegime, hours/60)
	fast := smooth1(s.seed+skyFront, hours/19)
	return 57 * math.Exp(0.48*slow+0.18*fast)
}

// mixing is the day's part: the air is stirred in the afternoon and lies low in the evening, at
// night and in the morning rush.
func (s *sky) mixing(local float64) float64 {
	stirred := 0.25 * math.Exp(-sq(local-14.5)/8)
	morning := 0.16 * math.Exp(-sq(local-8)/3)
	evening := 0.14 * math.Exp(-(sq(around(local-21)) / 9))
	return 1 - stirred + morning + evening
}

// around brings a difference of hours into [-12, 12).
func around(h float64) float64 { return math.Mod(h+36, 24) - 12 }

func sq(x float64) float64 { return x * x }

// source is where dirt comes from.
type source struct {
	point  orb.Point
	reach  float64 // m
	weight float64
}

// busyRoads are junctions with the heaviest traffic.
var busyRoads = []source{
	{orb.Point{105.7790, 21.0368}, 1300, 0.8}, // Mai Dịch
	{orb.Point{105.8020, 20.9935}, 1500, 0.9}, // Nguyễn Trãi and the third ring road
	{orb.Point{105.8205, 21.0033}, 1200, 0.8}, // Ngã Tư Sở
	{orb.Point{105.8412, 20.9985}, 1300, 0.8}, // Ngã Tư Vọng
	{orb.Point{105.8425, 20.9660}, 1600, 0.7}, // Pháp Vân
	{orb.Point{105.8030, 21.0303}, 1100, 0.6}, // Cầu Giấy
	{orb.Point{105.8540, 21.0360}, 1100, 0.7}, // the feet of Chương Dương bridge
	{orb.Point{105.8740, 20.9985}, 1200, 0.6}, // the foot of Vĩnh Tuy bridge
	{orb.Point{105.7935, 21.0080}, 1300, 0.7}, // the third ring road and Đại lộ Thăng Long
	{orb.Point{105.8890, 21.0500}, 1400, 0.6}, // Cầu Chui
	{orb.Point{105.7840, 21.0850}, 1600, 0.5}, // Thăng Long bridge
}

// works are craft villages and industry; the craft villages lie in the south-west.
var works = []source{
	{orb.Point{105.7965, 20.9825}, 1800, 0.9}, // Triều Khúc: plastics
	{orb.Point{105.7600, 20.9550}, 2600, 0.6}, // craft villages behind Hà Đông
	{orb.Point{105.8470, 20.9440}, 2400, 0.8}, // Văn Điển
	{orb.Point{105.9150, 21.0330}, 2200, 0.6}, // Sài Đồng
	{orb.Point{105.9130, 20.9760}, 1500, 0.5}, // Bát Tràng: kilns
	{orb.Point{105.7800, 21.1200}, 2600, 0.6}, // the industry beyond Thăng Long bridge
	{orb.Point{105.8250, 20.9900}, 1600, 0.4}, // Thượng Đình
}

// sources returns how much of roads and of works a flat place has: 0 in the fields, about 1 beside
// them.
func sources(f plane, at orb.Point) (road, work float64) {
	return felt(f, at, busyRoads), felt(f, at, works)
}

func felt(f plane, at orb.Point, list []source) float64 {
	sum := 0.0
	for _, s := range list {
		d := length(minus(f.flat(s.point), at))
		sum += s.weight * math.Exp(-sq(d/s.reach)/2)
	}
	return min(sum, 1.4) // where several meet, the air is not dirtier without end
}
