package ledger

// Bounds of EachDevice, which would otherwise read the whole ledger.
const (
	listedHours  = 24 * 7   // the newest ones
	listedLeaves = 64 << 20 // bytes
)

// EachDevice calls visit with the devices of the newest hours, some of them several times. It reads at most 64 MB, and
// skips segments that can't be read. It must be called before the first Classify.
func (l *Ledger) EachDevice(visit func(device string)) error {
	catalog := l.currentCatalog()
	read := 0
	for i := len(catalog) - 1; i >= max(len(catalog)-listedHours, 0); i-- {
		for _, seg := range catalog[i].segments {
			n, err := l.eachDeviceOf(seg, visit)
			if err != nil {
				l.readFailed(seg, err)
			}
			if read += n; read > listedLeaves {
				return nil
			}
		}
	}
	return nil
}

func (l *Ledger) eachDeviceOf(seg *segment, visit func(device string)) (read int, err error) {
	h, err := l.cache.get(seg)
	if err != nil {
		l.openFailed(seg, err)
		return 0, nil
	}
	for i := range h.reader.leaves {
		s, err := h.reader.readLeaf(i)
		if err != nil {
			return read, err
		}
		read += len(s.b)
		for len(s.b) > 0 {
			if d := scanDevice(&s); !s.bad {
				visit(string(d.name))
			}
		}
		if s.bad {
			return read, damaged("leaf")
		}
	}
	return read, nil
}
