package nhip_test

import (
	"testing"

	"nhip"
)

func TestFullTexts(t *testing.T) {
	for text, want := range map[nhip.LocalizedText]nhip.LocalizedText{
		{}:                             {},
		{Vi: "Hoàn Kiếm"}:              {Vi: "Hoàn Kiếm", En: "Hoàn Kiếm"},
		{En: "West Lake"}:              {Vi: "West Lake", En: "West Lake"},
		{Vi: "Hồ Tây", En: "Tây Lake"}: {Vi: "Hồ Tây", En: "Tây Lake"},
	} {
		if got := text.Full(); got != want {
			t.Errorf("%+v became %+v, want %+v", text, got, want)
		}
	}
}
