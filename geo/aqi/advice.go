package aqi

import "nhip"

// Advice tells people what to do at one level of VN_AQI.
type Advice struct {
	Effect    nhip.Name `json:"effect"`    // what the air does
	Everyone  nhip.Name `json:"everyone"`  // healthy people
	Sensitive nhip.Name `json:"sensitive"` // children, old people, those with illnesses of lungs or heart
}

// advice follows tables 4 and 5 of Decision 1459, by level. Its last level has one advice for all.
var advice = []Advice{
	{
		Effect:    nhip.Name{Vi: "Không khí tốt, không ảnh hưởng tới sức khỏe.", En: "The air is good and does no harm."},
		Everyone:  nhip.Name{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
		Sensitive: nhip.Name{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
	},
	{
		Effect:    nhip.Name{Vi: "Chấp nhận được; người rất nhạy cảm có thể bị ảnh hưởng nhẹ.", En: "Acceptable; very sensitive people may feel it a little."},
		Everyone:  nhip.Name{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
		Sensitive: nhip.Name{Vi: "Để ý các triệu chứng như ho, khó thở; vẫn có thể ra ngoài.", En: "Watch for coughing or short breath; going out is still fine."},
	},
	{
		Effect:    nhip.Name{Vi: "Nhóm nhạy cảm có thể bị ảnh hưởng; phần lớn mọi người chưa thấy gì.", En: "Sensitive groups may be affected; most people are not."},
		Everyone:  nhip.Name{Vi: "Nếu ho, đau mắt hay rát họng thì bớt hoạt động ngoài trời. Học sinh vẫn có thể ra ngoài, nên bớt tập nặng lâu.", En: "With a cough, sore eyes or a sore throat, do less outdoors. Pupils may go out, with less long, hard exercise."},
		Sensitive: nhip.Name{Vi: "Giảm vận động mạnh, nghỉ nhiều hơn. Người bị hen suyễn có thể phải dùng thuốc thường xuyên hơn.", En: "Cut down on hard effort and rest more. People with asthma may need their medicine more often."},
	},
	{
		Effect:    nhip.Name{Vi: "Mọi người bắt đầu bị ảnh hưởng; nhóm nhạy cảm nặng hơn.", En: "Everyone begins to be affected, sensitive groups more."},
		Everyone:  nhip.Name{Vi: "Giảm vận động mạnh ngoài trời, tránh tập lâu, nghỉ trong nhà nhiều hơn.", En: "Cut down on hard effort outdoors, avoid long exercise, rest indoors more."},
		Sensitive: nhip.Name{Vi: "Nên ở trong nhà; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.", En: "Stay in; if you must go out, wear a mask that meets the standard."},
	},
	{
		Effect:    nhip.Name{Vi: "Ảnh hưởng nghiêm trọng tới sức khỏe mọi người.", En: "Everyone's health is seriously affected."},
		Everyone:  nhip.Name{Vi: "Chuyển hoạt động vào trong nhà; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.", En: "Move what you do indoors; if you must go out, wear a mask that meets the standard."},
		Sensitive: nhip.Name{Vi: "Ở trong nhà, giảm vận động; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.", En: "Stay in and take it easy; if you must go out, wear a mask that meets the standard."},
	},
	{
		Effect:    nhip.Name{Vi: "Báo động: toàn bộ người dân bị ảnh hưởng nghiêm trọng.", En: "Emergency: the whole population is seriously affected."},
		Everyone:  hazardous,
		Sensitive: hazardous,
	},
}

var hazardous = nhip.Name{
	Vi: "Ở trong nhà, đóng cửa ra vào và cửa sổ; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.",
	En: "Stay in with doors and windows shut; if you must go out, wear a mask that meets the standard.",
}

// AdviceFor returns the advice for an index, and false for scales that have none of their own.
func AdviceFor(a *nhip.AQI) (Advice, bool) {
	if a.Scale != nhip.VNAQI || a.Level.Number < 1 || a.Level.Number > len(advice) {
		return Advice{}, false
	}
	return advice[a.Level.Number-1], true
}
