package docs

// words are the texts of the page, by language.
var words = map[string]map[string]string{
	vietnamese: {
		"other": "English", "operations": "Thao tác", "schemas": "Kiểu dữ liệu", "parameters": "Tham số",
		"body": "Nội dung yêu cầu", "answers": "Câu trả lời", "example": "Ví dụ", "name": "Tên", "in": "Ở", "type": "Kiểu",
		"meaning": "Ý nghĩa", "required": "bắt buộc", "roles": "Vai trò", "lenient": "Tham số lạ bị bỏ qua.",
		"contract": "Tệp OpenAPI", "fields": "Các trường", "everybody": "mọi người", "status": "Mã", "contents": "Mục lục",
	},
	english: {
		"other": "Tiếng Việt", "operations": "Operations", "schemas": "Types", "parameters": "Parameters",
		"body": "Body of the request", "answers": "Answers", "example": "Example", "name": "Name", "in": "In", "type": "Type",
		"meaning": "Meaning", "required": "required", "roles": "Roles", "lenient": "Unknown parameters are ignored.",
		"contract": "OpenAPI file", "fields": "Fields", "everybody": "everybody", "status": "Status", "contents": "Contents",
	},
}
