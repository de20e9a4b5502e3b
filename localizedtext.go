package nhip

import "cmp"

// LocalizedText is a text in Vietnamese and English.
type LocalizedText struct {
	Vi string `json:"vi,omitempty"`
	En string `json:"en,omitempty"`
}

// In returns the text in a language, "vi" or "en", or in the other one if it is missing.
func (t LocalizedText) In(lang string) string {
	if lang == "en" {
		return cmp.Or(t.En, t.Vi)
	}
	return cmp.Or(t.Vi, t.En)
}

// Full returns the text in both languages, in each as In does: what answers of the api contain.
func (t LocalizedText) Full() LocalizedText {
	return LocalizedText{Vi: t.In("vi"), En: t.In("en")}
}
