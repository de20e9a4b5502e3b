package sim

// line is a bus line. Consecutive junctions of via are on one street; the first and the last are the terminals.
type line struct {
	number  string
	via     []string
	headway int // minutes between departures, relative to those of the other lines
}

// lines have numbers and terminals like those in Hanoi. The timetable is fictitious.
var lines = []line{
	{"01", []string{
		"gia-lam", "ngoc-lam", "chuong-duong", "bac-co", "hang-bai", "ga-ha-noi", "kim-lien",
		"o-cho-dua", "nga-tu-so", "thanh-xuan", "ha-dong", "yen-nghia",
	}, 10},
	{"02", []string{
		"bac-co", "hang-bai", "ga-ha-noi", "cua-nam", "van-mieu", "o-cho-dua", "nga-tu-so",
		"thanh-xuan", "ha-dong", "yen-nghia",
	}, 8},
	{"03", []string{
		"giap-bat", "kim-lien", "ga-ha-noi", "tran-hung-dao", "bac-co", "chuong-duong",
		"ngoc-lam", "gia-lam",
	}, 8},
	{"08", []string{"long-bien", "chuong-duong", "bac-co", "hang-bai", "pho-hue", "dai-la", "vong", "nuoc-ngam"}, 10},
	{"09", []string{
		"tran-khanh-du", "tran-hung-dao", "ga-ha-noi", "cua-nam", "kim-ma", "voi-phuc",
		"cau-giay",
	}, 10},
	{"11", []string{"bac-co", "chuong-duong", "ngoc-lam", "cau-chui", "sai-dong", "trau-quy"}, 10},
	{"12", []string{
		"kim-ma", "daewoo", "trung-hoa", "nga-tu-so", "vong", "dai-la", "minh-khai", "yen-so",
		"nuoc-ngam",
	}, 13},
	{"16", []string{"my-dinh", "mai-dich", "cau-giay", "voi-phuc", "nga-tu-so", "vong", "nuoc-ngam"}, 8},
	{"18", []string{
		"kim-ma", "thanh-cong", "o-cho-dua", "kim-lien", "pho-hue", "nguyen-khoai",
		"tran-khanh-du",
	}, 13},
	{"21", []string{"giap-bat", "vong", "nga-tu-so", "thanh-xuan", "ha-dong", "yen-nghia"}, 8},
	{"22", []string{"gia-lam", "ngoc-lam", "chuong-duong", "long-bien", "mai-xuan", "van-cao", "daewoo", "kim-ma"}, 10},
	{"24", []string{
		"long-bien", "chuong-duong", "bac-co", "tran-khanh-du", "nguyen-khoai", "kim-nguu",
		"minh-khai", "dai-la", "vong", "nga-tu-so", "voi-phuc", "cau-giay",
	}, 13},
	{"26", []string{
		"mai-dong", "minh-khai", "kim-nguu", "pho-hue", "kim-lien", "o-cho-dua", "chua-lang",
		"trung-hoa", "big-c", "my-dinh",
	}, 8},
	{"27", []string{
		"nam-thang-long", "mai-dich", "cau-giay", "voi-phuc", "nga-tu-so", "thanh-xuan",
		"ha-dong", "yen-nghia",
	}, 10},
	{"28", []string{
		"nuoc-ngam", "kim-lien", "o-cho-dua", "giang-vo", "kim-ma", "daewoo", "van-cao",
		"buoi", "hoang-q-viet", "nam-thang-long",
	}, 13},
	{"32", []string{
		"giap-bat", "kim-lien", "ga-ha-noi", "cua-nam", "kim-ma", "voi-phuc", "cau-giay", "mai-dich",
		"cau-dien", "nhon",
	}, 7},
	{"34", []string{
		"my-dinh", "mai-dich", "cau-giay", "voi-phuc", "kim-ma", "cua-nam", "ga-ha-noi",
		"hang-bai", "bac-co", "chuong-duong", "ngoc-lam", "gia-lam",
	}, 10},
	{"38", []string{
		"nam-thang-long", "hoang-q-viet", "buoi", "voi-phuc", "o-cho-dua", "kim-lien",
		"pho-hue", "kim-nguu", "minh-khai", "mai-dong",
	}, 13},
	{
		"48",
		[]string{"tran-khanh-du", "nguyen-khoai", "kim-nguu", "minh-khai", "vinh-tuy", "thach-ban", "sai-dong", "trau-quy"},
		13,
	},
	{"50", []string{"hao-nam", "giang-vo", "thanh-cong", "lang-ha", "khuat-duy-tien", "big-c", "an-khanh"}, 13},
	{"58", []string{"long-bien", "nghi-tam", "nhat-tan", "buoi", "hoang-q-viet", "nam-thang-long"}, 13},
	{"60", []string{"nuoc-ngam", "thanh-xuan", "big-c", "my-dinh"}, 10},
	{"BRT01", []string{"kim-ma", "thanh-cong", "lang-ha", "khuat-duy-tien", "van-phuc", "ba-la", "yen-nghia"}, 7},
}

// terminals are the names of terminals, as on the buses' signs.
var terminals = map[string]string{
	"an-khanh":       "An Khánh",
	"bac-co":         "Bác Cổ",
	"cau-giay":       "Điểm trung chuyển Cầu Giấy",
	"gia-lam":        "Bến xe Gia Lâm",
	"giap-bat":       "Bến xe Giáp Bát",
	"hao-nam":        "Hào Nam",
	"kim-ma":         "Bến xe Kim Mã",
	"long-bien":      "Điểm trung chuyển Long Biên",
	"mai-dong":       "Mai Động",
	"my-dinh":        "Bến xe Mỹ Đình",
	"nam-thang-long": "Bến xe Nam Thăng Long",
	"nhon":           "Nhổn",
	"nuoc-ngam":      "Bến xe Nước Ngầm",
	"tran-khanh-du":  "Trần Khánh Dư",
	"trau-quy":       "Trâu Quỳ",
	"yen-nghia":      "Bến xe Yên Nghĩa",
}
