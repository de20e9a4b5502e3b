package sim

import (
	"math"
	"slices"

	"nhip"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// district is a part of the simulated city, around a point.
type district struct {
	id, vi, en string
	center     orb.Point // WGS84 lon, lat
}

// districts have the names of Hanoi's former districts, and about their places. Their borders are not the real ones.
var districts = []district{
	{"ba-dinh", "Ba Đình", "Ba Dinh", orb.Point{105.8270, 21.0370}},
	{"hoan-kiem", "Hoàn Kiếm", "Hoan Kiem", orb.Point{105.8530, 21.0290}},
	{"tay-ho", "Tây Hồ", "Tay Ho", orb.Point{105.8200, 21.0700}},
	{"long-bien", "Long Biên", "Long Bien", orb.Point{105.8900, 21.0400}},
	{"cau-giay", "Cầu Giấy", "Cau Giay", orb.Point{105.7930, 21.0330}},
	{"dong-da", "Đống Đa", "Dong Da", orb.Point{105.8270, 21.0150}},
	{"hai-ba-trung", "Hai Bà Trưng", "Hai Ba Trung", orb.Point{105.8570, 21.0070}},
	{"hoang-mai", "Hoàng Mai", "Hoang Mai", orb.Point{105.8560, 20.9750}},
	{"thanh-xuan", "Thanh Xuân", "Thanh Xuan", orb.Point{105.8090, 20.9950}},
	{"ha-dong", "Hà Đông", "Ha Dong", orb.Point{105.7680, 20.9650}},
	{"nam-tu-liem", "Nam Từ Liêm", "Nam Tu Liem", orb.Point{105.7580, 21.0130}},
	{"bac-tu-liem", "Bắc Từ Liêm", "Bac Tu Liem", orb.Point{105.7650, 21.0600}},
	{"thanh-tri", "Thanh Trì", "Thanh Tri", orb.Point{105.8450, 20.9350}},
	{"gia-lam", "Gia Lâm", "Gia Lam", orb.Point{105.9350, 21.0150}},
	{"dong-anh", "Đông Anh", "Dong Anh", orb.Point{105.8500, 21.1250}},
}

// Shape of the districts, in metres.
const (
	cityRadius   = 16_500.0
	borderStep   = 250.0  // between the corners of a border
	borderWander = 350.0  // maximum deviation from the straight line, in each axis
	borderScale  = 1800.0 // over which the deviation changes
	outlineParts = 72     // sides of the city's outline
	coordDigits  = 1e6    // corners are rounded to it, so that neighbours share them exactly
)

// Seeds of the deviation of borders in each axis.
const (
	seedBorderEast uint64 = 200 + iota
	seedBorderNorth
)

// Districts returns the districts of the simulated city: each holds what is nearer to its middle than to any other,
// with borders that wander like those of real ones. Neighbours share their borders point for point.
func Districts() []zone.Zone {
	f := newPlane(cityCenter)
	centers := make([]orb.Point, len(districts))
	for i, d := range districts {
		centers[i] = f.toPlane(d.center)
	}
	zones := make([]zone.Zone, len(districts))
	for i, d := range districts {
		cell := outline()
		for k, other := range centers {
			if k != i {
				cell = nearer(cell, centers[i], other)
			}
		}
		zones[i] = zone.Zone{
			Kind: "district", ID: d.id, Name: nhip.LocalizedText{Vi: d.vi, En: d.en},
			Area: orb.MultiPolygon{{border(f, cell)}},
		}
	}
	return zones
}

// outline returns the city's outline in the plane, counter-clockwise and not closed.
func outline() orb.LineString {
	out := make(orb.LineString, outlineParts)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / outlineParts)
		out[i] = orb.Point{cityRadius * cos, cityRadius * sin}
	}
	return out
}

// nearer returns the part of a convex polygon that is nearer to a than to b.
func nearer(polygon orb.LineString, a, b orb.Point) orb.LineString {
	middle, toB := interpolate(a, b, 0.5), subtract(b, a)
	beyond := func(p orb.Point) float64 {
		d := subtract(p, middle)
		return d[0]*toB[0] + d[1]*toB[1]
	}
	var out orb.LineString
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		dp, dq := beyond(p), beyond(q)
		if dp <= 0 {
			out = append(out, p)
		}
		if (dp < 0 && dq > 0) || (dp > 0 && dq < 0) {
			out = append(out, interpolate(p, q, dp/(dp-dq)))
		}
	}
	return out
}

// border returns the closed ring of a polygon of the plane, in WGS84. A side gets the same corners from whichever of
// its ends it is drawn, because it is the border of two districts.
func border(f plane, polygon orb.LineString) orb.Ring {
	for i, p := range polygon {
		polygon[i] = orb.Point{math.Round(p[0]), math.Round(p[1])} // the three sides that meet there round differently
	}
	var ring orb.Ring
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		side := sideOf(p, q)
		for _, corner := range side[:len(side)-1] {
			ring = append(ring, roundCorner(f.toWGS84(wander(corner))))
		}
	}
	ring = slices.Compact(ring)
	return append(ring, ring[0])
}

// sideOf splits a side into steps.
func sideOf(p, q orb.Point) orb.LineString {
	if p[0] > q[0] || p[0] == q[0] && p[1] > q[1] {
		side := sideOf(q, p)
		slices.Reverse(side)
		return side
	}
	n := max(int(length(subtract(q, p))/borderStep), 1)
	side := make(orb.LineString, n+1)
	for i := range side {
		side[i] = interpolate(p, q, float64(i)/float64(n))
	}
	return side
}

// wander moves a corner, by its place only.
func wander(p orb.Point) orb.Point {
	x, y := p[0]/borderScale, p[1]/borderScale
	return add(p, orb.Point{
		borderWander * smooth3(seedBorderEast, x, y, 0), borderWander * smooth3(seedBorderNorth, x, y, 0),
	})
}

func roundCorner(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*coordDigits) / coordDigits, math.Round(p[1]*coordDigits) / coordDigits}
}
