package sim

import "github.com/paulmach/orb"

// The tables were made by hand: the positions of the big junctions and terminals, the streets between them, and the
// bends of those. They are a sketch that a Hanoian recognises, not a survey.

// junctions are the points where lines turn or end, WGS84 lon, lat.
var junctions = map[string]orb.Point{
	// Terminals.
	"an-khanh":       {105.7270, 21.0020},
	"bac-co":         {105.8600, 21.0250},
	"cau-giay":       {105.7990, 21.0335},
	"gia-lam":        {105.8785, 21.0487},
	"giap-bat":       {105.8415, 20.9805},
	"hao-nam":        {105.8290, 21.0270},
	"kim-ma":         {105.8230, 21.0320},
	"long-bien":      {105.8490, 21.0415},
	"mai-dong":       {105.8640, 20.9905},
	"my-dinh":        {105.7780, 21.0285},
	"nam-thang-long": {105.7830, 21.0700},
	"nhon":           {105.7345, 21.0540},
	"nuoc-ngam":      {105.8420, 20.9640},
	"tran-khanh-du":  {105.8632, 21.0125},
	"trau-quy":       {105.9350, 21.0180},
	"yen-nghia":      {105.7470, 20.9500},

	// West: the third ring road and the roads that cross it.
	"mai-dich":       {105.7790, 21.0368},
	"keangnam":       {105.7838, 21.0170},
	"big-c":          {105.7935, 21.0073},
	"khuat-duy-tien": {105.7970, 21.0040},
	"thanh-xuan":     {105.8020, 20.9935},
	"linh-dam":       {105.8310, 20.9665},
	"hoang-q-viet":   {105.7818, 21.0468},
	"cau-dien":       {105.7660, 21.0400},
	"ha-dong":        {105.7780, 20.9720},
	"ba-la":          {105.7600, 20.9590},
	"van-phuc":       {105.7690, 20.9790},

	// The second ring road.
	"buoi":      {105.8055, 21.0460},
	"voi-phuc":  {105.8030, 21.0303},
	"trung-hoa": {105.8045, 21.0165},
	"lang-ha":   {105.8120, 21.0113},
	"nga-tu-so": {105.8205, 21.0033},
	"vong":      {105.8412, 20.9985},
	"dai-la":    {105.8492, 20.9968},
	"minh-khai": {105.8620, 20.9962},
	"vinh-tuy":  {105.8745, 20.9985},
	"nhat-tan":  {105.8195, 21.0780},

	// The inner city.
	"daewoo":        {105.8120, 21.0318},
	"van-cao":       {105.8160, 21.0425},
	"mai-xuan":      {105.8345, 21.0405},
	"chua-lang":     {105.8090, 21.0250},
	"thanh-cong":    {105.8175, 21.0205},
	"giang-vo":      {105.8245, 21.0285},
	"o-cho-dua":     {105.8300, 21.0192},
	"van-mieu":      {105.8338, 21.0301},
	"cua-nam":       {105.8430, 21.0270},
	"ga-ha-noi":     {105.8413, 21.0240},
	"kim-lien":      {105.8415, 21.0078},
	"pho-hue":       {105.8505, 21.0080},
	"hang-bai":      {105.8515, 21.0205},
	"tran-hung-dao": {105.8615, 21.0170},
	"kim-nguu":      {105.8600, 21.0093},
	"nguyen-khoai":  {105.8655, 21.0088},
	"chuong-duong":  {105.8540, 21.0350},
	"yen-so":        {105.8680, 20.9690},

	// Across the river.
	"ngoc-lam":    {105.8690, 21.0410},
	"cau-chui":    {105.8892, 21.0508},
	"sai-dong":    {105.9125, 21.0345},
	"thach-ban":   {105.8960, 21.0180},
	"nghi-tam":    {105.8370, 21.0560},
	"co-nhue":     {105.7828, 21.0585},
	"phap-van":    {105.8560, 20.9655},
	"phung-khoan": {105.7920, 20.9845},
}

// street is a named street along a sequence of junctions. Buses do not stop on bridges.
type street struct {
	name   string
	along  []string // junctions
	bridge bool
}

var streets = []street{
	{name: "Phạm Hùng", along: []string{"mai-dich", "my-dinh", "keangnam", "big-c"}},
	{name: "Khuất Duy Tiến", along: []string{"big-c", "khuat-duy-tien", "thanh-xuan"}},
	{name: "Nghiêm Xuân Yêm", along: []string{"thanh-xuan", "linh-dam", "nuoc-ngam"}},
	{name: "Phạm Văn Đồng", along: []string{"mai-dich", "hoang-q-viet", "co-nhue", "nam-thang-long"}},
	{name: "Xuân Thuỷ", along: []string{"mai-dich", "cau-giay"}},
	{name: "Cầu Giấy", along: []string{"cau-giay", "voi-phuc"}},
	{name: "Hồ Tùng Mậu", along: []string{"mai-dich", "cau-dien"}},
	{name: "Cầu Diễn", along: []string{"cau-dien", "nhon"}},
	{name: "Trần Duy Hưng", along: []string{"big-c", "trung-hoa"}},
	{name: "Đại lộ Thăng Long", along: []string{"big-c", "an-khanh"}},
	{name: "Lê Văn Lương", along: []string{"lang-ha", "khuat-duy-tien"}},
	{name: "Tố Hữu", along: []string{"khuat-duy-tien", "van-phuc"}},
	{name: "Lê Trọng Tấn", along: []string{"van-phuc", "ba-la"}},
	{name: "Nguyễn Trãi", along: []string{"nga-tu-so", "thanh-xuan"}},
	{name: "Trần Phú", along: []string{"thanh-xuan", "phung-khoan", "ha-dong"}},
	{name: "Quang Trung", along: []string{"ha-dong", "ba-la", "yen-nghia"}},

	{name: "Hoàng Quốc Việt", along: []string{"hoang-q-viet", "buoi"}},
	{name: "Bưởi", along: []string{"buoi", "voi-phuc"}},
	{name: "Láng", along: []string{"voi-phuc", "trung-hoa", "lang-ha", "nga-tu-so"}},
	{name: "Trường Chinh", along: []string{"nga-tu-so", "vong"}},
	{name: "Đại La", along: []string{"vong", "dai-la"}},
	{name: "Minh Khai", along: []string{"dai-la", "minh-khai", "vinh-tuy"}},
	{name: "Lạc Long Quân", along: []string{"buoi", "nhat-tan"}},
	{name: "Âu Cơ", along: []string{"nghi-tam", "nhat-tan"}},
	{name: "Yên Phụ", along: []string{"long-bien", "nghi-tam"}},

	{name: "Kim Mã", along: []string{"kim-ma", "daewoo", "voi-phuc"}},
	{name: "Nguyễn Thái Học", along: []string{"kim-ma", "van-mieu", "cua-nam"}},
	{name: "Nguyễn Chí Thanh", along: []string{"daewoo", "chua-lang", "trung-hoa"}},
	{name: "Liễu Giai - Văn Cao", along: []string{"daewoo", "van-cao"}},
	{name: "Hoàng Hoa Thám", along: []string{"buoi", "van-cao", "mai-xuan"}},
	{name: "Phan Đình Phùng", along: []string{"mai-xuan", "long-bien"}},
	{name: "Đê La Thành", along: []string{"voi-phuc", "chua-lang", "thanh-cong", "o-cho-dua"}},
	{name: "Láng Hạ", along: []string{"lang-ha", "thanh-cong"}},
	{name: "Giảng Võ", along: []string{"thanh-cong", "giang-vo", "kim-ma"}},
	{name: "Hào Nam", along: []string{"giang-vo", "hao-nam", "o-cho-dua"}},
	{name: "Tây Sơn", along: []string{"nga-tu-so", "o-cho-dua"}},
	{name: "Tôn Đức Thắng", along: []string{"o-cho-dua", "van-mieu"}},
	{name: "Xã Đàn", along: []string{"o-cho-dua", "kim-lien"}},
	{name: "Lê Duẩn", along: []string{"cua-nam", "ga-ha-noi", "kim-lien"}},
	{name: "Giải Phóng", along: []string{"kim-lien", "vong", "giap-bat", "nuoc-ngam"}},
	{name: "Trần Hưng Đạo", along: []string{"ga-ha-noi", "hang-bai", "tran-hung-dao"}},
	{name: "Tràng Tiền", along: []string{"hang-bai", "bac-co"}},
	{name: "Phố Huế", along: []string{"hang-bai", "pho-hue"}},
	{name: "Bạch Mai", along: []string{"pho-hue", "dai-la"}},
	{name: "Đại Cồ Việt", along: []string{"kim-lien", "pho-hue"}},
	{name: "Trần Khát Chân", along: []string{"pho-hue", "kim-nguu", "nguyen-khoai"}},
	{name: "Kim Ngưu", along: []string{"kim-nguu", "minh-khai"}},
	{name: "Tam Trinh", along: []string{"minh-khai", "mai-dong", "yen-so"}},
	{name: "Pháp Vân", along: []string{"yen-so", "phap-van", "nuoc-ngam"}},
	{name: "Trần Nhật Duật", along: []string{"long-bien", "chuong-duong"}},
	{name: "Trần Quang Khải", along: []string{"chuong-duong", "bac-co"}},
	{name: "Trần Khánh Dư", along: []string{"bac-co", "tran-hung-dao", "tran-khanh-du"}},
	{name: "Nguyễn Khoái", along: []string{"tran-khanh-du", "nguyen-khoai"}},

	{name: "Cầu Chương Dương", along: []string{"chuong-duong", "ngoc-lam"}, bridge: true},
	{name: "Nguyễn Văn Cừ", along: []string{"ngoc-lam", "gia-lam", "cau-chui"}},
	{name: "Nguyễn Văn Linh", along: []string{"cau-chui", "sai-dong"}},
	{name: "Nguyễn Đức Thuận", along: []string{"sai-dong", "trau-quy"}},
	{name: "Cầu Vĩnh Tuy", along: []string{"vinh-tuy", "thach-ban"}, bridge: true},
	{name: "Đàm Quang Trung", along: []string{"thach-ban", "sai-dong"}},
}

// bends are the points where a street bends between two junctions, in order from the first one.
var bends = map[[2]string][]orb.Point{
	{"mai-dich", "cau-giay"}:       {{105.7835, 21.0372}, {105.7895, 21.0364}},
	{"voi-phuc", "trung-hoa"}:      {{105.8022, 21.0240}},
	{"cau-dien", "nhon"}:           {{105.7520, 21.0462}},
	{"big-c", "an-khanh"}:          {{105.7730, 21.0052}, {105.7500, 21.0030}},
	{"khuat-duy-tien", "van-phuc"}: {{105.7830, 20.9925}},
	{"thanh-xuan", "linh-dam"}:     {{105.8100, 20.9835}, {105.8190, 20.9730}},
	{"hoang-q-viet", "buoi"}:       {{105.7930, 21.0462}},
	{"buoi", "voi-phuc"}:           {{105.8062, 21.0410}, {105.8048, 21.0355}},
	{"buoi", "nhat-tan"}:           {{105.8085, 21.0560}, {105.8110, 21.0660}},
	{"nghi-tam", "nhat-tan"}:       {{105.8290, 21.0660}},
	{"long-bien", "nghi-tam"}:      {{105.8425, 21.0490}},
	{"van-cao", "mai-xuan"}:        {{105.8260, 21.0408}},
	{"mai-xuan", "long-bien"}:      {{105.8455, 21.0402}},
	{"thanh-cong", "o-cho-dua"}:    {{105.8235, 21.0208}},
	{"nga-tu-so", "o-cho-dua"}:     {{105.8245, 21.0080}, {105.8275, 21.0130}},
	{"o-cho-dua", "kim-lien"}:      {{105.8350, 21.0135}},
	{"hang-bai", "bac-co"}:         {{105.8532, 21.0245}},
	{"dai-la", "minh-khai"}:        {{105.8560, 20.9955}},
	{"long-bien", "chuong-duong"}:  {{105.8522, 21.0385}},
	{"chuong-duong", "ngoc-lam"}:   {{105.8610, 21.0375}},
	{"cau-chui", "sai-dong"}:       {{105.9000, 21.0450}},
	{"kim-nguu", "minh-khai"}:      {{105.8605, 21.0030}},
	{"phung-khoan", "ha-dong"}:     {{105.7850, 20.9780}},
	{"giap-bat", "nuoc-ngam"}:      {{105.8412, 20.9720}},
	{"co-nhue", "nam-thang-long"}:  {{105.7832, 21.0640}},
}
