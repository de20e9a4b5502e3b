package nhip

// MaxPhotoChunk is the most of a photo in one message, bytes: as base64 in JSON it fits into a packet of the broker.
const MaxPhotoChunk = 32 << 10

// PhotoChunk is a part of the photo of a report, on its way to a collector. Parts follow one another from offset 0; the
// last one completes the photo, which is on disk when it is answered.
type PhotoChunk struct {
	Report string `json:"report"`
	Offset int    `json:"offset"`
	Data   []byte `json:"data"`
	Last   bool   `json:"last,omitempty"`
}

// PhotoQuery asks a collector for a part of the photo of a report.
type PhotoQuery struct {
	Report string `json:"report"`
	Offset int    `json:"offset"`
}

// PhotoPart is the answer: at most MaxPhotoChunk bytes from the offset, and the bytes of the whole photo.
type PhotoPart struct {
	Data []byte `json:"data"`
	Size int    `json:"size"`
}
