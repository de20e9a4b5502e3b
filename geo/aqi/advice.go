package aqi

import "nhip"

// Advice is the health advice for one category of VN_AQI.
type Advice struct {
	Effect    nhip.LocalizedText `json:"effect"`    // effect of the air on health
	Everyone  nhip.LocalizedText `json:"everyone"`  // healthy people
	Sensitive nhip.LocalizedText `json:"sensitive"` // children, elderly people, people with lung or heart disease
}

// advice follows tables 4 and 5 of Decision 1459, by category. The last category has the same advice for everyone.
var advice = []Advice{
	{
		Effect: nhip.LocalizedText{
			Vi: "Không khí tốt, không ảnh hưởng tới sức khỏe.", En: "The air is good and does no harm.",
		},
		Everyone:  nhip.LocalizedText{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
		Sensitive: nhip.LocalizedText{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
	},
	{
		Effect: nhip.LocalizedText{
			Vi: "Chấp nhận được; người rất nhạy cảm có thể bị ảnh hưởng nhẹ.",
			En: "Acceptable; very sensitive people may feel it a little.",
		},
		Everyone: nhip.LocalizedText{Vi: "Thoải mái hoạt động ngoài trời.", En: "Enjoy the outdoors."},
		Sensitive: nhip.LocalizedText{
			Vi: "Để ý các triệu chứng như ho, khó thở; vẫn có thể ra ngoài.",
			En: "Watch for coughing or short breath; going out is still fine.",
		},
	},
	{
		Effect: nhip.LocalizedText{
			Vi: "Nhóm nhạy cảm có thể bị ảnh hưởng; phần lớn mọi người chưa thấy gì.",
			En: "Sensitive groups may be affected; most people are not.",
		},
		Everyone: nhip.LocalizedText{
			Vi: "Nếu ho, đau mắt hay rát họng thì bớt hoạt động ngoài trời. Học sinh vẫn có thể ra ngoài, nên bớt tập nặng lâu.",
			En: "If you have a cough, sore eyes or a sore throat, do less outdoors. Pupils may go out but should exercise " +
				"less hard and less long.",
		},
		Sensitive: nhip.LocalizedText{
			Vi: "Giảm vận động mạnh, nghỉ nhiều hơn. Người bị hen suyễn có thể phải dùng thuốc thường xuyên hơn.",
			En: "Cut down on hard effort and rest more. People with asthma may need their medicine more often.",
		},
	},
	{
		Effect: nhip.LocalizedText{
			Vi: "Mọi người bắt đầu bị ảnh hưởng; nhóm nhạy cảm nặng hơn.",
			En: "Everyone begins to be affected, sensitive groups more.",
		},
		Everyone: nhip.LocalizedText{
			Vi: "Giảm vận động mạnh ngoài trời, tránh tập lâu, nghỉ trong nhà nhiều hơn.",
			En: "Cut down on hard effort outdoors, avoid long exercise, rest indoors more.",
		},
		Sensitive: nhip.LocalizedText{
			Vi: "Nên ở trong nhà; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.",
			En: "Stay in; if you must go out, wear a mask that meets the standard.",
		},
	},
	{
		Effect: nhip.LocalizedText{
			Vi: "Ảnh hưởng nghiêm trọng tới sức khỏe mọi người.", En: "Everyone's health is seriously affected.",
		},
		Everyone: nhip.LocalizedText{
			Vi: "Chuyển hoạt động vào trong nhà; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.",
			En: "Move what you do indoors; if you must go out, wear a mask that meets the standard.",
		},
		Sensitive: nhip.LocalizedText{
			Vi: "Ở trong nhà, giảm vận động; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.",
			En: "Stay in and take it easy; if you must go out, wear a mask that meets the standard.",
		},
	},
	{
		Effect: nhip.LocalizedText{
			Vi: "Báo động: toàn bộ người dân bị ảnh hưởng nghiêm trọng.",
			En: "Emergency: the whole population is seriously affected.",
		},
		Everyone:  hazardous,
		Sensitive: hazardous,
	},
}

var hazardous = nhip.LocalizedText{
	Vi: "Ở trong nhà, đóng cửa ra vào và cửa sổ; nếu phải ra ngoài hãy đeo khẩu trang đạt chuẩn.",
	En: "Stay in with doors and windows shut; if you must go out, wear a mask that meets the standard.",
}

// AdviceFor returns the advice for an index. ok is false for scales without advice of their own.
func AdviceFor(a *nhip.AQI) (adv Advice, ok bool) {
	if a.Scale != nhip.ScaleVNAQI || a.Category.Number < 1 || a.Category.Number > len(advice) {
		return Advice{}, false
	}
	return advice[a.Category.Number-1], true
}
