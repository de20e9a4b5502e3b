package photo

import (
	"image"
	"image/color"
	"image/draw"
)

// shrink returns a picture on white whose longer side has at most side pixels. Each pixel is the mean of those that it
// covers. It converts row by row, so that it needs no second picture of the full size.
func shrink(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	w, h := fit(b.Dx(), b.Dy(), side)
	if same, ok := src.(*image.RGBA); ok && w == b.Dx() && h == b.Dy() {
		return same
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	white := image.NewUniform(color.White)
	sums := make([][4]uint32, w) // red, green, blue, pixels
	for y := range b.Dy() {
		draw.Draw(row, row.Rect, white, image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, src, image.Pt(b.Min.X, b.Min.Y+y), draw.Over)
		for x := range b.Dx() {
			s, p := &sums[x*w/b.Dx()], row.Pix[4*x:]
			s[0], s[1], s[2], s[3] = s[0]+uint32(p[0]), s[1]+uint32(p[1]), s[2]+uint32(p[2]), s[3]+1
		}
		if at := y * h / b.Dy(); (y+1)*h/b.Dy() != at {
			writeMeans(out.Pix[at*out.Stride:], sums)
			clear(sums)
		}
	}
	return out
}

// writeMeans writes a row of pixels.
func writeMeans(to []byte, sums [][4]uint32) {
	for x, s := range sums {
		for c := range 3 {
			to[4*x+c] = byte((s[c] + s[3]/2) / s[3])
		}
		to[4*x+3] = 0xff
	}
}

// fit returns a size within a square of side pixels, in the proportion of w and h; never a larger one.
func fit(w, h, side int) (int, int) {
	long := max(w, h)
	if long <= side {
		return w, h
	}
	return max(1, w*side/long), max(1, h*side/long)
}

// turn returns a picture upright. how is the orientation of EXIF, 1 to 8; 1 is upright.
func turn(img *image.RGBA, how int) *image.RGBA {
	if how < 2 || how > 8 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Pt(w, h)
	if how > 4 { // rows become columns
		size = image.Pt(h, w)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			fromX, fromY := source(how, x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(fromX, fromY):][:4])
		}
	}
	return out
}

// source returns which pixel of a picture of w by h pixels is seen at x, y once it is upright.
func source(how, x, y, w, h int) (int, int) {
	switch how {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6: // its top is on the right
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	default: // 8: its top is on the left
		return w - 1 - y, x
	}
}
