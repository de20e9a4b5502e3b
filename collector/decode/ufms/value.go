package ufms

import (
	"nhip/collector/decode/protoscan"
)

func varint(f protoscan.Field, name string) (uint64, error) {
	v, ok := f.Varint()
	return v, protoscan.TypeError(ok, f, name, "int32, enum or bool")
}

func plate(f protoscan.Field) (string, error) {
	text, err := protoscan.ReadBytes(f, "vehicle")
	if err != nil {
		return "", err
	}
	return Plate(string(text))
}
