package tile

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"

	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb/maptile"
)

// Palette holds the colors of a scale: a gradient through its categories, at several opacities for the certainty
// of the index. A PNG contains only the colors that it uses, at most 255.
type Palette struct {
	colors       [grades * shades]color.NRGBA // by code
	shadeOf      [tones]uint8                 // shade by index, in equal steps
	tonesPerUnit float64                      // tones per unit of the index
	buffers      pngBuffers                   // of the PNG encoder
}

// A code combines a shade of the gradient and a grade of certainty.
const (
	grades = 16
	shades = 160
	tones  = 2048 // steps of the index in Palette.shadeOf

	transparentCode = grades * shades // the code of a transparent pixel
)

// Opacity of the least and the most certain estimate.
const minOpacity, maxOpacity = 40, 185

// unknownGrade is used if the certainty is unknown.
const unknownGrade = grades / 4

// NewPalette returns the palette of a scale of at least two categories. The middle of each category has the
// category's own color. The last category, which has no end, is drawn twice as wide as the one before it.
func NewPalette(categories []aqi.CategoryBound) *Palette {
	from := thresholds(categories)
	last := from[len(from)-1]
	before := 0.0
	if len(from) > 1 {
		before = from[len(from)-2]
	}
	ends := append(append([]float64{0}, from...), last+2*(last-before))
	p := &Palette{tonesPerUnit: tones / ends[len(ends)-1]}
	for code := range p.colors {
		c := between(categories, float64(code%shades)/(shades-1)*float64(len(categories))-0.5)
		c.A = uint8(minOpacity + (maxOpacity-minOpacity)*(code/shades)/(grades-1))
		p.colors[code] = c
	}
	for i := range p.shadeOf {
		v := (float64(i) + 0.5) / p.tonesPerUnit
		k := 0
		for v >= ends[k+1] && k < len(categories)-1 {
			k++
		}
		position := (float64(k) + (v-ends[k])/(ends[k+1]-ends[k])) / float64(len(categories))
		p.shadeOf[i] = uint8(min(shades-1, math.Round(position*(shades-1))))
	}
	return p
}

// between returns the color at position x of the gradient, in categories.
func between(categories []aqi.CategoryBound, x float64) color.NRGBA {
	x = max(0, min(float64(len(categories)-1), x))
	k := min(int(x), len(categories)-2)
	if k < 0 {
		return hex(categories[0].Color)
	}
	a, b, f := hex(categories[k].Color), hex(categories[k+1].Color), x-float64(k)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B)}
}

// hex parses #RRGGBB.
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

// code returns the code of an index and its certainty.
func (p *Palette) code(index, certainty float32) int {
	if math.IsNaN(float64(index)) {
		return transparentCode
	}
	grade := unknownGrade
	if !math.IsNaN(float64(certainty)) {
		grade = min(max(int(certainty*grades), 0), grades-1)
	}
	tone := min(max(int(float64(index)*p.tonesPerUnit), 0), tones-1)
	return grade*shades + int(p.shadeOf[tone])
}

// RasterPNG returns a PNG tile of pixels × pixels: a smooth field of the index that is the more opaque the more
// certain it is. It returns nil without a known index. The two rasters must have the same lattice. Tiles that
// Address does not return are an error.
func RasterPNG(t maptile.Tile, index, certainty *surface.Raster, p *Palette, pixels int) ([]byte, error) {
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
	img := p.paletted(codes, pixels)
	var out bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &p.buffers}
	if err := enc.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// paint fills a square of codes and reports whether any pixel is not transparent.
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
			line[x] = transparentCode
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
			line[x] = uint16(p.code(indices[k]+by*(indices[k+1]-indices[k]),
				certainties[k]+by*(certainties[k+1]-certainties[k])))
			drawn = drawn || line[x] != transparentCode
		}
	}
	return drawn
}

// paletted assigns each code that occurs an entry of the image's palette. If there are more than 255,
// neighbouring grades and shades are merged.
func (p *Palette) paletted(codes []uint16, pixels int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, pixels, pixels), color.Palette{color.NRGBA{}})
	for coarse := 1; ; coarse *= 2 {
		var entries [grades*shades + 1]uint8
		img.Palette = img.Palette[:1]
		if p.fill(img, codes, coarse, &entries) {
			return img
		}
	}
}

func (p *Palette) fill(img *image.Paletted, codes []uint16, coarse int, entries *[grades*shades + 1]uint8) bool {
	// fill fills the image with codes rounded down to multiples of coarse. It reports false if the palette is too small.
	for i, code := range codes {
		if code == transparentCode {
			img.Pix[i] = 0
			continue
		}
		grade, shade := int(code)/shades/coarse*coarse, int(code)%shades/coarse*coarse
		as := grade*shades + shade
		if entries[as] == 0 {
			if len(img.Palette) == 256 {
				return false
			}
			img.Palette = append(img.Palette, p.colors[as])
			entries[as] = uint8(len(img.Palette) - 1)
		}
		img.Pix[i] = entries[as]
	}
	return true
}

// rowOf interpolates a raster between two of its rows.
func rowOf(r *surface.Raster, row float64, out []float32) {
	j := min(int(row), r.H-2)
	by := float32(row - float64(j))
	north, south := r.Values[j*r.W:][:len(out)], r.Values[(j+1)*r.W:][:len(out)]
	for i := range out {
		out[i] = north[i] + by*(south[i]-north[i])
	}
}

// pngBuffers is a pool of encoder buffers.
type pngBuffers struct{ pool sync.Pool }

// Get returns a buffer, or nil.
func (b *pngBuffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

// Put returns a buffer to the pool.
func (b *pngBuffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }
