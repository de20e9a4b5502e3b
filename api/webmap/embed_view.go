package webmap

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// Size of the drawing of the embedded map, in units of its viewBox. The page scales it to the frame, and shows the
// margin around it where the frame has other proportions.
const (
	embedWidth  = 480.0
	embedHeight = 320.0
	embedMargin = 120.0
)

// embedFrame is all that is drawn.
var embedFrame = orb.Bound{
	Min: orb.Point{-embedMargin, -embedMargin}, Max: orb.Point{embedWidth + embedMargin, embedHeight + embedMargin},
}

// Zooms of the embedded map. MapLibre's zoom z shows the world on 512·2^z units.
const (
	embedMinZoom = 7.0
	embedMaxZoom = 15.0
	worldUnits   = 512.0
)

// embedView projects WGS84 positions to the drawing.
type embedView struct {
	zoom   float64
	origin orb.Point // of the drawing's upper left corner, in units of the world at zoom
}

// newEmbedView returns the view around a center, WGS84 lon and lat.
func newEmbedView(center orb.Point, zoom float64) embedView {
	zoom = min(max(zoom, embedMinZoom), embedMaxZoom)
	c := mercator(center, worldUnits*math.Exp2(zoom))
	return embedView{zoom, orb.Point{c[0] - embedWidth/2, c[1] - embedHeight/2}}
}

// fitEmbedView returns the view that shows a box.
func fitEmbedView(b orb.Bound) embedView {
	const share = 0.9 // of the drawing that the box may take: marks have a size
	a, z := mercator(b.LeftTop(), worldUnits), mercator(b.RightBottom(), worldUnits)
	wide, high := max(z[0]-a[0], 1e-9), max(z[1]-a[1], 1e-9)
	zoom := math.Log2(min(share*embedWidth/wide, share*embedHeight/high))
	return newEmbedView(b.Center(), min(zoom, 12))
}

// mercator returns the Web Mercator position of a point in a world of a size, from its upper left corner.
func mercator(p orb.Point, size float64) orb.Point {
	lat := min(max(p.Lat(), -85.05), 85.05) * math.Pi / 180
	return orb.Point{(p.Lon() + 180) / 360 * size, (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2 * size}
}

func (v embedView) at(p orb.Point) orb.Point {
	m := mercator(p, worldUnits*math.Exp2(v.zoom))
	return orb.Point{m[0] - v.origin[0], m[1] - v.origin[1]}
}

// embedTile is a tile of the drawing.
type embedTile struct {
	URL        string
	X, Y, Size string
}

// tiles returns the tiles of the air that cover the drawing: pictures of 512 pixels, at the zoom that shows a pixel on
// one to two units.
func (v embedView) tiles(query url.Values) []embedTile {
	z := int(math.Floor(v.zoom))
	size := worldUnits * math.Exp2(v.zoom-float64(z))
	last := 1<<z - 1
	clamp := func(n float64) int { return min(max(int(math.Floor(n/size)), 0), last) }
	var out []embedTile
	for y := clamp(v.origin[1] + embedFrame.Min[1]); y <= clamp(v.origin[1]+embedFrame.Max[1]); y++ {
		for x := clamp(v.origin[0] + embedFrame.Min[0]); x <= clamp(v.origin[0]+embedFrame.Max[0]); x++ {
			address := fmt.Sprintf("/tiles/air/%d/%d/%d@2x.png", z, x, y)
			if len(query) > 0 {
				address += "?" + query.Encode()
			}
			// a little larger than the tile, because browsers show seams between images that only touch
			out = append(out, embedTile{
				address, decimal(float64(x)*size - v.origin[0]), decimal(float64(y)*size - v.origin[1]), decimal(size + 0.3),
			})
		}
	}
	return out
}

// maxEmbedPoints bounds the points of all lines of an embedded map.
const maxEmbedPoints = 12_000

// embedPath collects lines as the path of an SVG drawing.
type embedPath struct {
	view   embedView
	points int // of all paths with the same budget
}

// line returns the path of a line as seen: without what is too small to see and what lies outside the drawing. It is
// empty if nothing is seen, or the budget of points is used up.
func (p *embedPath) line(l orb.LineString, closed bool) string {
	drawn := make(orb.LineString, len(l))
	for i := range l {
		drawn[i] = p.view.at(l[i])
	}
	if !embedFrame.Intersects(drawn.Bound()) {
		return ""
	}
	drawn = simplify.DouglasPeucker(0.8).LineString(drawn)
	if len(drawn) < 2 || p.points+len(drawn) > maxEmbedPoints {
		return ""
	}
	p.points += len(drawn)
	b := []byte("M")
	for i, at := range drawn {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(append(b, decimal(at[0])...), ' '), decimal(at[1])...)
	}
	if closed {
		b = append(b, 'Z')
	}
	return string(b)
}

// decimal formats a coordinate of the drawing.
func decimal(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }

// embedMark is a station on the drawing: with its value as Text, or, if it would hide a worse one, a dot.
type embedMark struct {
	Title, Text, Color, Ink string
	X, Y, Shape             string

	at      orb.Point
	value   float64
	diamond bool
}

// Half sizes of marks, in units of the drawing.
const (
	markRadius = 14.0
	dotRadius  = 4.5
)

// arrangeMarks places marks: the worst values first, and the others as dots where they would overlap. Those outside
// are left out. The order of the result is that of drawing: the worst is on top.
func arrangeMarks(marks []embedMark) []embedMark {
	slices.SortStableFunc(marks, func(a, b embedMark) int { return cmp.Compare(b.value, a.value) })
	var out []embedMark
	for _, m := range marks {
		if !embedFrame.Contains(m.at) {
			continue
		}
		radius := markRadius
		for i := range out {
			if o := &out[i]; o.Text != "" && math.Hypot(o.at[0]-m.at[0], o.at[1]-m.at[1]) < 2*markRadius+2 {
				m.Text, radius = "", dotRadius
				break
			}
		}
		m.X, m.Y, m.Shape = decimal(m.at[0]), decimal(m.at[1]), markShape(radius, m.diamond)
		out = append(out, m)
	}
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b embedMark) int { return cmp.Compare(len(a.Text), len(b.Text)) }) // dots below
	return out
}

// markShape returns the path of a circle, or of a diamond, around the origin.
func markShape(r float64, diamond bool) string {
	if diamond {
		d := decimal(1.22 * r)
		return fmt.Sprintf("M0-%[1]sL%[1]s 0 0 %[1]s-%[1]s 0Z", d)
	}
	return fmt.Sprintf("M-%[1]s 0a%[1]s %[1]s 0 1 1 %[2]s 0a%[1]s %[1]s 0 1 1-%[2]s 0", decimal(r), decimal(2*r))
}

// inkOn returns the color of text on a color of a scale, #RRGGBB: black, or white on dark colors.
func inkOn(color string) string {
	n, err := strconv.ParseUint(color[min(1, len(color)):], 16, 32)
	if err != nil {
		return "#111111"
	}
	luminance := 0.0
	for i, weight := range [...]float64{0.2126, 0.7152, 0.0722} { // WCAG 2.2
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			luminance += weight * c / 12.92
		} else {
			luminance += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	if luminance < 0.18 {
		return "#ffffff"
	}
	return "#111111"
}
