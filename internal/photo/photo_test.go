package photo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"nhip"
)

// corner returns a grey picture whose top left quarter is red.
func corner(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{128, 128, 128, 255}
			if x < w/2 && y < h/2 {
				c = color.RGBA{255, 0, 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif returns TIFF data with an orientation and a secret, in either byte order.
func exif(order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}, how int,
) []byte {
	b := []byte("MM")
	if order.String() == "LittleEndian" {
		b = []byte("II")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, tagOrientation)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(how))
	return append(b, 0, 0, 0, 0, 0, 0, 'S', '3', 'C', 'R', 'E', 'T')
}

// withExif returns a JPEG with EXIF data.
func withExif(raw, tiff []byte) []byte {
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))...)
	return append(append(out, body...), raw[2:]...)
}

func process(t testing.TB, raw []byte) image.Image {
	t.Helper()
	out, err := NewProcessor().Process(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) > MaxBytes || bytes.Contains(out, []byte("S3CRET")) || bytes.Contains(out, []byte("Exif")) {
		t.Fatalf("%d bytes, or metadata", len(out))
	}
	img, err := jpeg.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// redAt reports which quarter of a picture is red: left and top.
func redAt(img image.Image) (left, top bool) {
	b := img.Bounds()
	for _, at := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		x, y := b.Dx()*3/4, b.Dy()*3/4
		if at[0] {
			x = b.Dx() / 4
		}
		if at[1] {
			y = b.Dy() / 4
		}
		if r, g, _, _ := img.At(x, y).RGBA(); r > 0xd000 && g < 0x4000 {
			return at[0], at[1]
		}
	}
	panic("nothing is red")
}

func TestOrientationIsApplied(t *testing.T) {
	raw := asJPEG(t, corner(96, 48))
	for how, want := range map[int]struct{ left, top, turned bool }{
		0: {true, true, false}, 1: {true, true, false}, 2: {false, true, false}, 3: {false, false, false},
		4: {true, false, false}, 5: {true, true, true}, 6: {false, true, true}, 7: {false, false, true},
		8: {true, false, true}, 9: {true, true, false},
	} {
		for _, tiff := range [][]byte{exif(binary.BigEndian, how), exif(binary.LittleEndian, how)} {
			img := process(t, withExif(raw, tiff))
			left, top := redAt(img)
			if turned := img.Bounds().Dx() == 48; left != want.left || top != want.top || turned != want.turned {
				t.Errorf("orientation %d: left %v, top %v, turned %v", how, left, top, turned)
			}
		}
	}
}

// losslessWebP is a WebP picture of 32 by 16 pixels of one color.
const losslessWebP = "UklGRhwAAABXRUJQVlA4TBAAAAAvH8ADAChIgQvU/wIAAAAA"

func TestFormatsAreTaken(t *testing.T) {
	if b := process(t, asPNG(t, corner(64, 32))).Bounds(); b.Dx() != 64 || b.Dy() != 32 {
		t.Errorf("PNG: %v", b)
	}
	raw, err := base64.StdEncoding.DecodeString(losslessWebP)
	if err != nil {
		t.Fatal(err)
	}
	if b := process(t, raw).Bounds(); b.Dx() != 32 || b.Dy() != 16 {
		t.Errorf("WebP: %v", b)
	}
	if left, top := redAt(shrink(corner(300, 150), 64)); !left || !top {
		t.Error("a large picture is not itself after it was made smaller")
	}
}

func TestLargePicturesBecomeSmall(t *testing.T) {
	noise := image.NewRGBA(image.Rect(0, 0, 560, 460))
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(noise.Pix)
	if b := process(t, asJPEG(t, noise)).Bounds(); b.Dx() > MaxSide {
		t.Errorf("noise: %v", b)
	}
	if b := process(t, asJPEG(t, corner(1600, 160))).Bounds(); b.Dx() != MaxSide || b.Dy() != MaxSide/10 {
		t.Errorf("%v", b)
	}
}

func TestClearPixelsBecomeWhite(t *testing.T) {
	img := process(t, asPNG(t, image.NewNRGBA(image.Rect(0, 0, 32, 32))))
	if r, g, b, _ := img.At(16, 16).RGBA(); min(r, g, b) < 0xf000 {
		t.Errorf("%x %x %x", r, g, b)
	}
}

// hugePNG is a small file that states a large picture.
func hugePNG(w, h uint32, depth byte) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), depth, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestHostilePicturesAreRefused(t *testing.T) {
	progressive := bytes.Replace(asJPEG(t, corner(64, 64)), []byte("\xff\xc0"), []byte("\xff\xc2"), 1)
	wide := asJPEG(t, corner(32, 32))
	at := bytes.Index(wide, []byte("\xff\xc0"))
	binary.BigEndian.PutUint16(wide[at+5:], 60_000)
	binary.BigEndian.PutUint16(wide[at+7:], 60_000)
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":           {nil, "must be a JPEG"},
		"text":            {[]byte("<svg onload=alert(1)>"), "must be a JPEG"},
		"GIF":             {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), "must be a JPEG"},
		"cut":             {asJPEG(t, corner(64, 64))[:300], "can't be decoded"},
		"PNG bomb":        {hugePNG(50_000, 50_000, 8), "too many pixels"},
		"16 bit":          {hugePNG(5_000, 4_000, 16), "too many pixels"},
		"JPEG bomb":       {wide, "too many pixels"},
		"strip":           {hugePNG(100_000, 20, 8), "shorter side"},
		"dot":             {asPNG(t, corner(1, 1)), "at least"},
		"scans":           {append(progressive, bytes.Repeat([]byte("\xff\xda\x00"), 101)...), "scans"},
		"WebP without VP": {[]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), "can't be decoded"},
		"too long":        {append(asJPEG(t, corner(64, 64)), make([]byte, MaxUpload)...), "at most"},
	} {
		_, err := NewProcessor().Process(context.Background(), c.raw)
		if err == nil || !strings.Contains(err.Error(), c.want) || nhip.ErrorCode(err) == nhip.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProcessorIsBounded(t *testing.T) {
	p := NewProcessor()
	p.slot <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Process(ctx, nil); err == nil {
		t.Error("a canceled caller got the slot")
	}
	for range maxWaiting + 1 {
		p.waiting <- struct{}{}
	}
	if _, err := p.Process(context.Background(), nil); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("%v", err)
	}
}

func FuzzReencode(f *testing.F) {
	f.Add(withExif(asJPEG(f, corner(32, 32)), exif(binary.BigEndian, 6)))
	f.Add(asPNG(f, corner(32, 32)))
	f.Add(hugePNG(50_000, 50_000, 8))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := reencode(raw)
		if err == nil && (len(out) == 0 || len(out) > MaxBytes) {
			t.Errorf("%d bytes", len(out))
		}
		if err != nil && nhip.ErrorCode(err) == nhip.CodeInternal {
			t.Error(err)
		}
	})
}
