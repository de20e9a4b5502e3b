package transit

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nameWords are the folded words of a name or of a text, in their order.
type nameWords struct {
	words     []string
	canonical string // the words with one spelling for each group of synonyms
}

func newNameWords(words []string) nameWords { return nameWords{words, canonicalText(words)} }

// Words that say that a route is meant. People put them before its number; they are not in its names.
var (
	routeNouns = wordSet("tuyen buyt bus route line")
	routeWords = wordSet("tuyen chuyen xe buyt bus so number no nr route line the")
	// Of a text with a number: "32 đi Nhổn", "32 to Nhon".
	directionWords = wordSet("di den tu ve toi to from for")
)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// stopPhrases say that a stop is meant.
var stopPhrases = [][]string{
	{"tram", "xe", "buyt"},
	{"tram", "xe", "bus"},
	{"tram", "buyt"},
	{"tram", "bus"},
	{"tram", "dung"},
	{"diem", "dung"},
	{"diem", "do"},
	{"nha", "cho", "xe", "buyt"},
	{"nha", "cho"},
	{"bus", "stop"},
	{"tram"},
	{"stop"},
}

// withoutRouteWords returns the words that are not about routes in general.
func withoutRouteWords(words []string) []string {
	numbered := slices.ContainsFunc(words, startsWithDigit)
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		return routeWords[w] || numbered && directionWords[w]
	})
}

func startsWithDigit(w string) bool { return w[0] >= '0' && w[0] <= '9' }

// withoutStopWords returns the words without a phrase at their begin or end that says that a stop is meant.
func withoutStopWords(words []string) []string {
	for _, phrase := range stopPhrases {
		n := len(phrase)
		switch {
		case len(words) < n:
		case slices.Equal(words[:n], phrase):
			return words[n:]
		case slices.Equal(words[len(words)-n:], phrase):
			return words[:len(words)-n]
		}
	}
	return words
}

// joined matches a word that is written together with the number after it: "bus32", "ql1a".
var joined = regexp.MustCompile(`^(tuyen|buyt|bus|xe|so|route|line|ql|tl|hl|dl|vd|nga|km|cv)(\d[\da-z]*)$`)

// initials matches letters with dots between them: "K.S", "Đ.H."
var initials = regexp.MustCompile(`(?:^|[^\pL\pN])(?:\pL\.)+\pL(?:$|[^\pL\pN])`)

// joinInitials removes the dots between single letters.
func joinInitials(text string) string {
	return initials.ReplaceAllStringFunc(text, func(s string) string {
		last := strings.LastIndexByte(s, '.')
		if strings.HasSuffix(s, ".") { // the one behind the letters
			last = strings.LastIndexByte(s[:len(s)-1], '.')
		}
		return strings.ReplaceAll(s[:last+1], ".", "") + s[last+1:]
	})
}

// splitWords returns the words of a folded text.
func splitWords(folded string) []string {
	var words []string
	for w := range strings.FieldsSeq(folded) {
		if m := joined.FindStringSubmatch(w); m != nil {
			words = append(words, m[1], m[2])
		} else {
			words = append(words, w)
		}
	}
	return words
}

// textWords returns the words of a text with their diacritics.
func textWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
			!unicode.Is(unicode.Mn, r)
	})
}

// commonWords are words that people write and names often lack: the school of a university, where a bus goes.
var commonWords = wordSet("truong di den tu ve toi to from for the")

// cities are the names that people append: "bách khoa hà nội".
var cities = [][]string{
	{"ha", "noi"},
	{"hanoi"},
	{"hn"},
	{"ho", "chi", "minh"},
	{"hcm"},
	{"sai", "gon"},
	{"da", "nang"},
	{"hai", "phong"},
	{"viet", "nam"},
	{"vn"},
}

// withoutCommonWords returns a text without commonWords and without a city at its end, and whether it has any. It keeps
// a text that consists of nothing else.
func withoutCommonWords(text string) (string, bool) {
	words := textWords(joinInitials(text))
	folded := make([]string, len(words))
	for i, w := range words {
		folded[i] = foldDiacritics(w)
	}
	n := len(words)
	for _, city := range cities {
		if at := n - len(city); at > 0 && slices.Equal(folded[at:], city) {
			n = at
			break
		}
	}
	var kept []string
	for i, w := range words[:n] {
		if !commonWords[folded[i]] {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " "), len(kept) > 0 && len(kept) < len(words)
}

// shortestJoined is the least number of letters of words that are written together.
const shortestJoined = 5

// joinedHave reports whether the words, written together from one of them on, begin with a word.
func (n nameWords) joinedHave(word string) bool {
	return joinedBegin(n.words, word) || joinedBegin(strings.Fields(n.canonical), word)
}

func joinedBegin(words []string, word string) bool {
	for i := range words {
		if word[0] == words[i][0] && strings.HasPrefix(strings.Join(words[i:], ""), word) {
			return true
		}
	}
	return false
}

// numbered matches the number of a route: letters, zeros and a number, as in "BRT01", "E06", "03A".
var numbered = regexp.MustCompile(`^([a-z]*)(0*)(\d[\da-z]*)$`)

// numberSpellings returns how people write the number of a route, given as folded words, as one word, and its parts.
func numberSpellings(words []string) (spellings, parts []string) {
	together := strings.Join(words, "")
	if together == "" {
		return nil, nil
	}
	spellings = []string{together}
	if m := numbered.FindStringSubmatch(together); m != nil {
		spellings = append(spellings, m[1]+m[3])
		parts = []string{m[2] + m[3], m[3]}
		if m[1] != "" {
			parts = append(parts, m[1])
		}
	}
	return sortedWords(spellings), parts
}

// synonyms are groups of what people write for the same: the abbreviations in the names of Vietnamese stops, what they
// stand for, and the English word. The first of a group is its canonical spelling. An abbreviation may stand for
// several things.
var synonyms = [][]string{
	{"bv", "bệnh viện", "hospital"},
	{"ttyt", "trung tâm y tế"},
	{"pk", "phòng khám", "clinic"},
	{"tyt", "trạm y tế"},
	{"bx", "bến xe", "bus station"},
	{"sb", "sân bay", "airport"},
	{"ga", "nhà ga", "railway station", "station"},
	{"đh", "đại học", "university"},
	{"hv", "học viện", "academy"},
	{"cđ", "cao đẳng", "college"},
	{"đhqg", "đại học quốc gia", "đh quốc gia", "national university"},
	{"đhbk", "đại học bách khoa", "đh bách khoa"},
	{"bk", "bách khoa"},
	{"brt", "buýt nhanh", "bus rapid transit"},
	{"đhsp", "đại học sư phạm", "đh sư phạm"},
	{"đhqghn", "đại học quốc gia hà nội"},
	{"thpt", "trung học phổ thông", "ptth", "phổ thông trung học", "high school"},
	{"thcs", "trung học cơ sở"},
	{"th", "tiểu học", "primary school"},
	{"mn", "mầm non", "kindergarten"},
	{"ktx", "ký túc xá", "dormitory"},
	{"kđt", "khu đô thị"},
	{"kcn", "khu công nghiệp", "industrial park"},
	{"ccn", "cụm công nghiệp"},
	{"ktt", "khu tập thể"},
	{"kcx", "khu chế xuất"},
	{"cc", "chung cư"},
	{"cn", "công nghiệp", "chi nhánh"},
	{"xn", "xí nghiệp"},
	{"nm", "nhà máy", "factory"},
	{"cty", "công ty", "company"},
	{"ks", "khách sạn", "hotel"},
	{"st", "siêu thị", "supermarket"},
	{"tttm", "trung tâm thương mại", "mall"},
	{"tt", "trung tâm", "thị trấn", "center", "centre"},
	{"ubnd", "ủy ban nhân dân", "uỷ ban nhân dân", "people s committee"},
	{"hđnd", "hội đồng nhân dân"},
	{"ubmttq", "ủy ban mặt trận tổ quốc"},
	{"tand", "tòa án nhân dân"},
	{"vksnd", "viện kiểm sát nhân dân"},
	{"bqp", "bộ quốc phòng"},
	{"bca", "bộ công an"},
	{"bch", "ban chỉ huy"},
	{"cv", "công viên", "park"},
	{"bt", "bảo tàng", "museum"},
	{"nvh", "nhà văn hóa", "nhà văn hoá"},
	{"svđ", "sân vận động", "stadium"},
	{"tdtt", "thể dục thể thao"},
	{"nh", "ngân hàng", "bank"},
	{"bđ", "bưu điện", "post office"},
	{"nxb", "nhà xuất bản"},
	{"vp", "văn phòng", "office"},
	{"ntls", "nghĩa trang liệt sĩ", "nghĩa trang liệt sỹ"},
	{"nt", "nghĩa trang", "nhà thờ"},
	{"chợ", "market"},
	{"cầu", "bridge"},
	{"chùa", "pagoda"},
	{"thư viện", "library"},
	{"ql", "quốc lộ"},
	{"tl", "tỉnh lộ"},
	{"đt", "đường tỉnh"},
	{"hl", "hương lộ"},
	{"đl", "đại lộ", "avenue"},
	{"vđ", "vành đai"},
	{"đ", "đường", "street", "road"},
	{"đđ", "đ d", "đối diện", "opposite"},
	{"ng", "nguyễn"},
	{"ng", "ngõ"},
	{"ngh", "ngách"},
	{"ngã 3", "ngã ba"},
	{"ngã 4", "ngã tư"},
	{"ngã 5", "ngã năm"},
	{"ngã 6", "ngã sáu"},
	{"ngã 7", "ngã bảy"},
	{"tp", "thành phố", "city"},
	{"tx", "thị xã"},
	{"q", "quận", "district"},
	{"h", "huyện"},
	{"p", "phường", "ward"},
	{"x", "xã", "commune"},
	{"hn", "hà nội", "hanoi"},
	{"hcm", "hồ chí minh"},
	{"sg", "sài gòn", "saigon"},
	{"đn", "đà nẵng", "danang"},
	{"hp", "hải phòng", "haiphong"},
	{"vn", "việt nam", "vietnam"},
}

// phrase is a member of a group of synonyms.
type phrase struct {
	group  int
	folded []string
	marked []string
}

// phrases holds the members of synonyms by their first folded word, the longest first.
var phrases = func() map[string][]phrase {
	out := make(map[string][]phrase)
	for i, group := range synonyms {
		for _, member := range group {
			p := phrase{i, strings.Fields(foldDiacritics(member)), strings.Fields(member)}
			out[p.folded[0]] = append(out[p.folded[0]], p)
		}
	}
	for _, all := range out {
		slices.SortStableFunc(all, func(a, b phrase) int { return len(b.folded) - len(a.folded) })
	}
	return out
}()

// synonymsOf returns what else people write for the phrases among words: folded, and with diacritics.
func synonymsOf(words []string) (folded, marked []string) {
	groups := make(map[int]bool)
	for i := range words {
		for _, p := range phrases[words[i]] {
			if hasPrefix(words[i:], p.folded) {
				groups[p.group] = true
			}
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		for _, member := range synonyms[group] {
			folded = append(folded, strings.Fields(foldDiacritics(member))...)
			marked = append(marked, strings.Fields(member)...)
		}
	}
	return folded, marked
}

// canonicalText returns words with the first of its group in place of each synonym.
func canonicalText(words []string) string {
	var out []string
	for i := 0; i < len(words); {
		matches, length := phrasesAt(words[i:])
		if length == 0 {
			out = append(out, words[i])
			i++
			continue
		}
		out = append(out, foldDiacritics(synonyms[matches[0].group][0]))
		i += length
	}
	return strings.Join(out, " ")
}

// phrasesAt returns the longest phrases with which words begin, of several groups if they are ambiguous, and the number
// of their words; 0 if there is none.
func phrasesAt(words []string) (matches []phrase, length int) {
	for _, p := range phrases[words[0]] {
		if len(p.folded) < length {
			break
		}
		if hasPrefix(words, p.folded) {
			matches, length = append(matches, p), len(p.folded)
		}
	}
	return matches, length
}

func hasPrefix(words, prefix []string) bool {
	return len(words) >= len(prefix) && slices.Equal(words[:len(prefix)], prefix)
}

// foldDiacritics removes diacritics, case and punctuation, because people type names without them: "Cầu Giấy" becomes
// "cau giay".
func foldDiacritics(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func sortedWords(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}
