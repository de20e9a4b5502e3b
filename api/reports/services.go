// Package reports models citizens' reports on buses, traffic and the environment: the services that they are about, the
// current state of all reports, which the collectors publish, and who of the staff sees which.
package reports

import (
	"slices"

	"nhip"
)

// Group is what a service belongs to. Each has its own staff.
type Group string

// The groups of services.
const (
	Transport   Group = "transport"
	Environment Group = "environment"
)

// Permission returns the permission that handles the reports of a group.
func (g Group) Permission() nhip.Permission {
	if g == Transport {
		return nhip.MayHandleTransport
	}
	return nhip.MayHandleEnvironment
}

// Service is what a report may be about.
type Service struct {
	Code        string
	Group       Group
	Name        nhip.LocalizedText
	Description nhip.LocalizedText
	Keywords    string // comma separated, both languages
	Attributes  []Attribute
}

// Datatype is the type of an attribute in Open311.
type Datatype string

// The datatypes in use.
const (
	TypeString   Datatype = "string"
	TypeDatetime Datatype = "datetime"
	TypeList     Datatype = "singlevaluelist"
)

// Attribute is a question of a service.
type Attribute struct {
	Code     string
	Datatype Datatype
	Text     nhip.LocalizedText
	Hint     nhip.LocalizedText // what an answer looks like
	Values   []Choice           // of TypeList
}

// Choice is a possible answer.
type Choice struct {
	Key  string
	Name nhip.LocalizedText
}

// Codes of the attributes that all services have, or all of transport.
const (
	AttributeTime        = "time"         // when it happened
	AttributeOwnPosition = "own_position" // keep the sender's own position
	AttributeStop        = "stop"         // id of a stop
	AttributeBus         = "bus"          // a vehicle, or agency/vehicle
	AttributeLine        = "line"         // public number of a line
	Yes                  = "yes"          // the answer that keeps the position
)

func text(vi, en string) nhip.LocalizedText { return nhip.LocalizedText{Vi: vi, En: en} }

var (
	everywhere = []Attribute{
		{
			Code: AttributeTime, Datatype: TypeDatetime, Text: text("Xảy ra lúc nào?", "When did it happen?"),
			Hint: text("Thời điểm có múi giờ; mặc định là bây giờ, tối đa 24 giờ trước",
				"A time with an offset; now by default, at most 24 hours ago"),
		},
		{
			Code: AttributeOwnPosition, Datatype: TypeList,
			Text: text("Lưu vị trí của chính tôi?", "Keep my own position?"),
			Hint: text("Nếu không, chỉ lưu vị trí của điểm dừng hoặc xe buýt",
				"Otherwise only the position of the stop or the bus is kept"),
			Values: []Choice{{"no", text("Không", "No")}, {Yes, text("Có", "Yes")}},
		},
	}
	onBuses = slices.Concat([]Attribute{
		{
			Code: AttributeLine, Datatype: TypeString, Text: text("Tuyến nào?", "Which line?"),
			Hint: text("Số hiệu tuyến, như 32", "The number of the line, as in 32"),
		},
		{
			Code: AttributeBus, Datatype: TypeString, Text: text("Xe nào?", "Which bus?"),
			Hint: text("Mã xe, hoặc đơn vị/mã xe, hoặc biển số", "Its id, or agency/id, or its plate"),
		},
		{
			Code: AttributeStop, Datatype: TypeString, Text: text("Điểm dừng nào?", "Which stop?"),
			Hint: text("Mã điểm dừng", "The id of the stop"),
		},
	}, everywhere)
	smokeSources = append([]Attribute{{
		Code: "source", Datatype: TypeList, Text: text("Từ đâu?", "Where from?"), Values: []Choice{
			{"burning", text("Đốt rác, đốt rơm rạ", "Burning of waste or straw")},
			{"construction", text("Công trình xây dựng", "Construction")},
			{"traffic", text("Giao thông", "Traffic")},
			{"factory", text("Nhà máy, làng nghề", "Factory, craft village")},
			{"unknown", text("Không rõ", "Unknown")},
		},
	}}, everywhere...)
)

// services are all services, in the order in which clients list them. Codes never change.
var services = []Service{
	{
		ServiceNoBus, Transport, text("Xe không đến", "No bus"),
		text("Xe buýt không đến, hoặc đến quá muộn", "A bus did not come, or came much too late"),
		"xe buýt, trễ, bus, late", onBuses,
	},
	{
		ServiceSkippedStop, Transport, text("Bỏ điểm dừng", "Skipped stop"),
		text("Xe không dừng ở điểm dừng", "A bus did not stop at a stop"), "bỏ bến, bus, stop", onBuses,
	},
	{
		"crowding", Transport, text("Quá đông", "Crowding"),
		text("Xe quá đông", "A bus was too full"), "chật, đông, crowded, full", onBuses,
	},
	{
		"safety", Transport, text("An toàn", "Safety"),
		text("Lái xe nguy hiểm, quấy rối, trộm cắp", "Dangerous driving, harassment, theft"),
		"nguy hiểm, quấy rối, danger, harassment", onBuses,
	},
	{
		ServiceWrongInformation, Transport, text("Sai thông tin", "Wrong information"),
		text("Giờ đến, lộ trình hoặc bảng thông tin sai", "A wrong arrival time, route or sign"),
		"thông tin, information", onBuses,
	},
	{
		"bus-condition", Transport, text("Tình trạng xe", "Condition of a bus"),
		text("Xe hỏng, bẩn, điều hòa hỏng", "A bus is broken or dirty, or its cooling fails"),
		"xe hỏng, bẩn, broken, dirty", onBuses,
	},
	{
		"staff-conduct", Transport, text("Thái độ phục vụ", "Conduct of staff"),
		text("Thái độ của lái xe, nhân viên", "Conduct of drivers and staff"), "thái độ, lái xe, driver", onBuses,
	},
	{
		"stop-condition", Transport, text("Điểm dừng hư hỏng", "Damaged stop"),
		text("Nhà chờ, biển báo, lối đi bị hỏng hoặc bị chiếm", "A shelter, sign or path is damaged or blocked"),
		"nhà chờ, biển báo, shelter", onBuses,
	},
	{
		"blocked-lane", Transport, text("Đỗ xe, cản trở làn xe buýt", "Blocked stop or lane"),
		text("Xe đỗ ở điểm dừng hoặc làn xe buýt", "A vehicle stands at a stop or in a bus lane"),
		"đỗ xe, làn, parking, lane", onBuses,
	},
	{
		ServiceBusOther, Transport, text("Vấn đề khác về xe buýt", "Other problem with buses"),
		text("Vấn đề khác về xe, tuyến hoặc điểm dừng", "Another problem with a bus, a line or a stop"),
		"khác, other", onBuses,
	},
	{
		"traffic", Transport, text("Ùn tắc giao thông", "Traffic jam"),
		text("Ùn tắc, tai nạn, đèn tín hiệu hỏng", "A jam, an accident, broken lights"),
		"tắc đường, tai nạn, jam, accident", everywhere,
	},
	{
		"smoke", Environment, text("Khói bụi", "Smoke"),
		text("Khói hoặc bụi trong không khí", "Smoke or dust in the air"), "khói, bụi, smoke, dust", smokeSources,
	},
	{
		"burning", Environment, text("Đốt rác, đốt rơm rạ", "Open burning"),
		text("Đốt rác, rơm rạ, phế liệu ngoài trời", "Waste, straw or scrap burns in the open"),
		"đốt, rơm, cháy, burning, straw", everywhere,
	},
	{
		"vehicle-smoke", Environment, text("Xe xả khói đen", "Smoking vehicle"),
		text("Xe xả nhiều khói", "A vehicle emits much smoke"), "khói đen, xe, exhaust", everywhere,
	},
	{
		"construction-dust", Environment, text("Bụi công trình", "Construction dust"),
		text("Bụi từ công trình, xe chở vật liệu", "Dust from a site or from trucks"), "công trình, bụi, site", everywhere,
	},
	{
		"smell", Environment, text("Mùi hôi", "Smell"),
		text("Mùi hôi, mùi hóa chất", "A bad smell, or of chemicals"), "mùi, hóa chất, odor", everywhere,
	},
	{
		"factory-emission", Environment, text("Khí thải nhà máy", "Emission of a factory"),
		text("Khí thải của nhà máy, làng nghề", "Emissions of a factory or a craft village"),
		"nhà máy, làng nghề, factory", everywhere,
	},
	{
		"noise", Environment, text("Tiếng ồn", "Noise"), text("Tiếng ồn lớn, kéo dài", "Loud, lasting noise"),
		"ồn, noise", everywhere,
	},
	{
		"waste", Environment, text("Rác thải", "Waste"),
		text("Rác, phế thải đổ bừa bãi", "Waste or rubble is dumped"), "rác, waste, dumping", everywhere,
	},
	{
		"air-information", Environment, text("Sai số liệu không khí", "Wrong air data"),
		text("Số liệu không khí có vẻ sai", "Data on the air seem wrong"), "số liệu, trạm, data, station", everywhere,
	},
}

// Codes of services to which problems of other standards belong.
const (
	ServiceNoBus            = "no-bus"
	ServiceSkippedStop      = "skipped-stop"
	ServiceWrongInformation = "wrong-information"
	ServiceBusOther         = "bus-other"
)

// Services returns all services. They must not be changed.
func Services() []Service { return services }

// FindService returns the service with a code.
func FindService(code string) (*Service, bool) {
	i := slices.IndexFunc(services, func(s Service) bool { return s.Code == code })
	if i < 0 {
		return nil, false
	}
	return &services[i], true
}

// Attribute returns the attribute with a code.
func (s *Service) Attribute(code string) (*Attribute, bool) {
	i := slices.IndexFunc(s.Attributes, func(a Attribute) bool { return a.Code == code })
	if i < 0 {
		return nil, false
	}
	return &s.Attributes[i], true
}
