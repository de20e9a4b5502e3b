package transit

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// markedWord is a word with its diacritics. Its tone stands apart, because people write it on either vowel: "hoà" and
// "hòa" are the same word.
type markedWord struct {
	letters string // NFC, with the diacritics that make letters: â, ơ, đ
	tone    rune   // 0 is the level tone
}

// tones are the combining marks of the tones: grave, acute, tilde, hook above, dot below.
const tones = "\u0300\u0301\u0303\u0309\u0323"

func newMarkedWord(word string) (w markedWord) {
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune(tones, r) {
			w.tone = r
			return -1
		}
		return r
	}, norm.NFD.String(word))
	w.letters = norm.NFC.String(letters)
	return w
}

func newMarkedWords(words []string) []markedWord {
	out := make([]markedWord, len(words))
	for i, w := range words {
		out[i] = newMarkedWord(w)
	}
	return out
}

// begins reports whether a word begins with w. Who types a word types its tone last, so that a beginning may lack it.
func (w markedWord) begins(word markedWord) bool {
	return strings.HasPrefix(word.letters, w.letters) &&
		(w.tone == word.tone || w.tone == 0 && len(w.letters) < len(word.letters))
}
