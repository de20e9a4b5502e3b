package protoscan

import (
	"testing"

	"nhip"

	"google.golang.org/protobuf/encoding/protowire"
)

// message returns a message with one field of each type.
func message() []byte {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, 300)
	b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
	b = protowire.AppendFixed32(b, 0x3fc00000) // 1.5
	b = protowire.AppendTag(b, 3, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, 0x4004000000000000) // 2.5
	b = protowire.AppendTag(b, 4, protowire.BytesType)
	return protowire.AppendBytes(b, []byte("29B"))
}

func TestFieldsReadsEachType(t *testing.T) {
	var numbers []protowire.Number
	err := Fields(message(), func(f Field) error {
		numbers = append(numbers, f.Number)
		varint, isVarint := f.Varint()
		float, isFloat := f.Float()
		double, isDouble := f.Double()
		content, isBytes := f.Bytes()
		for number, ok := range map[protowire.Number]bool{
			1: isVarint && varint == 300, 2: isFloat && float == 1.5,
			3: isDouble && double == 2.5, 4: isBytes && string(content) == "29B",
		} {
			if ok != (number == f.Number) {
				t.Errorf("field %d is read as that of number %d: %v", f.Number, number, ok)
			}
		}
		return nil
	})
	if err != nil || len(numbers) != 4 {
		t.Errorf("fields %v, %v", numbers, err)
	}
}

func TestFieldsRejectsTruncatedMessages(t *testing.T) {
	msg := message()
	ends := map[int]bool{0: true, 3: true, 8: true, 17: true, len(msg): true} // between fields
	for n := range len(msg) + 1 {
		err := Fields(msg[:n], func(Field) error { return nil })
		if ends[n] != (err == nil) || err != nil && nhip.ErrorCode(err) != nhip.CodeMalformed {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
}
