package collector

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"nhip/internal/durable"
)

// knownSeries remembers which devices and series have been accepted before, as hashes, in memory and in a file. A
// secret in the hash keeps senders from making ids that collide.
type knownSeries struct {
	path   string
	secret [16]byte

	series  map[uint64]struct{}
	devices map[uint64]uint16 // number of series
	order   []seriesHash      // as accepted
	saved   int               // of order
}

// seriesHash are the hashes of a device and of one of its series. Series 0 stands for a device alone.
type seriesHash struct{ device, series uint64 }

// Bounds and format of the file: a magic number, the secret, and pairs of hashes.
const (
	knownMagic    = "nhipseri"
	knownHead     = len(knownMagic) + 16
	knownSize     = 16
	maxKnown      = 4_000_000 // series that are remembered; then the older half is forgotten
	maxKnownBytes = knownHead + maxKnown*knownSize
)

// openKnownSeries reads the file at path. seed calls its argument with every device of the ledger; it is used if there
// is no file. A damaged file is replaced.
func openKnownSeries(path string, seed func(visit func(device string)) error) (*knownSeries, error) {
	k := &knownSeries{path: path, series: make(map[uint64]struct{}), devices: make(map[uint64]uint16)}
	err := k.load()
	if err == nil {
		return k, nil
	}
	rand.Read(k.secret[:]) // never fails
	if err := seed(func(device string) { k.add(seriesHash{device: k.hash(device, "")}) }); err != nil {
		return nil, fmt.Errorf("can't read the devices of the ledger: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return k, err
}

var errKnownDamaged = errors.New("is damaged")

func (k *knownSeries) load() error {
	f, err := os.Open(k.path)
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, int64(maxKnownBytes)))
	if err != nil {
		return err
	}
	if len(raw) < knownHead || string(raw[:len(knownMagic)]) != knownMagic {
		return fmt.Errorf("%s: %w", k.path, errKnownDamaged)
	}
	copy(k.secret[:], raw[len(knownMagic):])
	for raw = raw[knownHead:]; len(raw) >= knownSize; raw = raw[knownSize:] {
		k.add(seriesHash{binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[8:])})
	}
	k.saved = len(k.order)
	return nil
}

// save writes the file.
func (k *knownSeries) save(order []seriesHash) error {
	return durable.Write(k.path, func(w io.Writer) error {
		b := append([]byte(knownMagic), k.secret[:]...)
		for _, h := range order {
			b = binary.LittleEndian.AppendUint64(b, h.device)
			b = binary.LittleEndian.AppendUint64(b, h.series)
			if len(b) >= 64<<10 {
				if _, err := w.Write(b); err != nil {
					return err
				}
				b = b[:0]
			}
		}
		_, err := w.Write(b)
		return err
	})
}

func (k *knownSeries) hash(device, series string) uint64 {
	var stack [256]byte
	b := append(stack[:0], k.secret[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(device)))
	b = append(append(b, device...), series...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

func (k *knownSeries) learn(device, series string) {
	if hash := k.hash(device, series); !k.has(hash) {
		k.add(seriesHash{k.hash(device, ""), hash})
	}
}

func (k *knownSeries) has(series uint64) bool {
	_, had := k.series[series]
	return had
}

// seriesOf returns the number of series of a device, and whether the device is known.
func (k *knownSeries) seriesOf(device uint64) (n int, known bool) {
	count, known := k.devices[device]
	return int(count), known
}

func (k *knownSeries) add(h seriesHash) {
	if len(k.order) >= maxKnown {
		k.forget()
	}
	if h.series != 0 {
		if k.has(h.series) {
			return
		}
		k.series[h.series] = struct{}{}
		k.devices[h.device]++
	} else if _, had := k.devices[h.device]; !had {
		k.devices[h.device] = 0
	}
	k.order = append(k.order, h)
}

// forget forgets the older half.
func (k *knownSeries) forget() {
	newer := append([]seriesHash(nil), k.order[len(k.order)/2:]...)
	k.order, k.saved = make([]seriesHash, 0, maxKnown), 0 // a save may be reading the old one
	clear(k.series)
	clear(k.devices)
	for _, h := range newer {
		k.add(h)
	}
}
