package tile

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"

	"nhip"
	"nhip/geo/surface"

	"github.com/paulmach/orb/maptile"
)

// Palette is the colours of a scale: a smooth run through its classes, in grades of certainty. A picture holds those of
// them that it shows, 255 at most.
type Palette struct {
	colours [grades * shades]color.NRGBA // by code
	at      [tones]uint8                 // place in the run, by index in equal steps
	per     float64                      // steps of an index of 1
	buffers pngBuffers                   // of encoding
}

// A code is a shade of the run in a grade of certainty.
const (
	grades = 16
	shades = 160
	tones  = 2048 // steps in which an index is looked up

	nothingKnown = grades * shades // the code of no colour
)

// How opaque the least and the surest are: nothing explained, and all of it.
const faintest, strongest = 40, 185

// unknownGrade is taken where it is not known how sure an estimate is.
const unknownGrade = grades / 4

// NewPalette makes the colours of a scale of classes, and from where on each but the first begins. The middle of a
// class has its colour; the last is taken to be twice as wide as the one before.
func NewPalette(levels []nhip.Level, from []float64) *Palette {
	last := from[len(from)-1]
	before := 0.0
	if len(from) > 1 {
		before = from[len(from)-2]
	}
	ends := append(append([]float64{0}, from...), last+2*(last-before))
	p := &Palette{per: tones / ends[len(ends)-1]}
	for code := range p.colours {
		c := between(levels, float64(code%shades)/(shades-1)*float64(len(levels))-0.5)
		c.A = uint8(faintest + (strongest-faintest)*(code/shades)/(grades-1))
		p.colours[code] = c
	}
	for i := range p.at {
		v := (float64(i) + 0.5) / p.per
		k := 0
		for v >= ends[k+1] && k < len(levels)-1 {
			k++
		}
		run := (float64(k) + (v-ends[k])/(ends[k+1]-ends[k])) / float64(len(levels))
		p.at[i] = uint8(min(shades-1, math.Round(run*(shades-1))))
	}
	return p
}

// between returns the colour between those of two classes.
func between(levels []nhip.Level, x float64) color.NRGBA {
	x = max(0, min(float64(len(levels)-1), x))
	k := min(int(x), len(levels)-2)
	if k < 0 {
		return hex(levels[0].Colour)
	}
	a, b, f := hex(levels[k].Colour), hex(levels[k+1].Colour), x-float64(k)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B)}
}

// hex reads #RRGGBB.
func hex(s string) color.NRGBA {
	var v [6]uint8
	for i := range v {
		switch c := s[i+1]; {
		case c >= 'a':
			v[i] = c - 'a' + 10
		case c >= 'A':
			v[i] = c - 'A' + 10
		default:
			v[i] = c - '0'
		}
	}
	return color.NRGBA{R: v[0]<<4 | v[1], G: v[2]<<4 | v[3], B: v[4]<<4 | v[5]}
}

// code returns that of an index and how sure it is.
func (p *Palette) code(index, certainty float32) int {
	if index != index {
		return nothingKnown
	}
	grade := unknownGrade
	if certainty == certainty {
		grade = min(max(int(certainty*grades), 0), grades-1)
	}
	tone := min(max(int(float64(index)*p.per), 0), tones-1)
	return grade*shades + int(p.at[tone])
}

// Picture returns a tile of so many pixels as a PNG: a smooth field of the index, the more opaque the surer it is. It
// returns nil where nothing is known. The rasters share a lattice. A t that Address would not have made is an error.
func Picture(t maptile.Tile, index, certainty *surface.Raster, p *Palette, pixels int) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	f := newFrame(t)
	if !f.overlaps(index.Grid) {
		return nil, nil
	}
	codes := make([]uint16, pixels*pixels)
	if !paint(codes, pixels, f, index, certainty, p) {
		return nil, nil
	}
	img := p.picture(codes, pixels)
	var out bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &p.buffers}
	if err := enc.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// paint fills a square of codes and reports whether there is anything in it.
func paint(codes []uint16, pixels int, f frame, index, certainty *surface.Raster, p *Palette) bool {
	columns := make([]float64, pixels)
	for x := range columns {
		columns[x] = (f.x+(float64(x)+0.5)/float64(pixels))/f.tiles*float64(index.Size) - float64(index.X)
	}
	indices, certainties := make([]float32, index.W), make([]float32, index.W)
	drawn := false
	for y := range pixels {
		line := codes[y*pixels:][:pixels]
		for x := range line {
			line[x] = nothingKnown
		}
		row := (f.y+(float64(y)+0.5)/float64(pixels))/f.tiles*float64(index.Size) - float64(index.Y)
		if row < 0 || row > float64(index.H-1) || index.H < 2 {
			continue
		}
		rowOf(index, row, indices)
		rowOf(certainty, row, certainties)
		for x, c := range columns {
			if c < 0 || c >= float64(index.W-1) {
				continue
			}
			k := int(c)
			by := float32(c - float64(k))
			line[x] = uint16(p.code(indices[k]+by*(indices[k+1]-indices[k]), certainties[k]+by*(certainties[k+1]-certainties[k])))
			drawn = drawn || line[x] != nothingKnown
		}
	}
	return drawn
}

// picture gives each code that is shown a place in the picture's palette. Where they are too many for one, neighbouring
// grades and shades are taken together.
func (p *Palette) picture(codes []uint16, pixels int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, pixels, pixels), color.Palette{color.NRGBA{}})
	for coarse := 1; ; coarse *= 2 {
		var places [grades*shades + 1]uint8
		img.Palette = img.Palette[:1]
		if p.fill(img, codes, coarse, &places) {
			return img
		}
	}
}

func (p *Palette) fill(img *image.Paletted, codes []uint16, coarse int, places *[grades*shades + 1]uint8) bool {
	for i, code := range codes {
		if code == nothingKnown {
			img.Pix[i] = 0
			continue
		}
		grade, shade := int(code)/shades/coarse*coarse, int(code)%shades/coarse*coarse
		as := grade*shades + shade
		if places[as] == 0 {
			if len(img.Palette) == 256 {
				return false
			}
			img.Palette = append(img.Palette, p.colours[as])
			places[as] = uint8(len(img.Palette) - 1)
		}
		img.Pix[i] = places[as]
	}
	return true
}

// rowOf returns a raster between two of its rows.
func rowOf(r *surface.Raster, row float64, out []float32) {
	j := min(int(row), r.H-2)
	by := float32(row - float64(j))
	north, south := r.Values[j*r.W:][:len(out)], r.Values[(j+1)*r.W:][:len(out)]
	for i := range out {
		out[i] = north[i] + by*(south[i]-north[i])
	}
}

// pngBuffers keeps what encoding needs.
type pngBuffers struct{ pool sync.Pool }

// Get returns a buffer, or nil.
func (b *pngBuffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

// Put takes a buffer back.
func (b *pngBuffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }
