import {texts} from './i18n.ts';

/** Words for what the api says in codes. */
export const terms = texts(
  {
    occupancies: {
      EMPTY: 'gần như trống',
      MANY_SEATS_AVAILABLE: 'còn nhiều ghế',
      FEW_SEATS_AVAILABLE: 'còn ít ghế',
      STANDING_ROOM_ONLY: 'chỉ còn chỗ đứng',
      CRUSHED_STANDING_ROOM_ONLY: 'rất đông',
      FULL: 'đã đầy',
      NOT_ACCEPTING_PASSENGERS: 'không nhận khách',
    } as Record<string, string>,
    classes: ['Tốt', 'Trung bình', 'Kém', 'Xấu', 'Rất xấu', 'Nguy hại'],
    quantities: {
      pm1: 'PM1', pm25: 'PM2.5', pm10: 'PM10', tsp: 'TSP', so2: 'SO₂', no: 'NO', no2: 'NO₂', co: 'CO', o3: 'O₃',
      temperature: 'Nhiệt độ', humidity: 'Độ ẩm', pressure: 'Áp suất',
    } as Record<string, string>,
  },
  {
    occupancies: {
      EMPTY: 'nearly empty',
      MANY_SEATS_AVAILABLE: 'many seats',
      FEW_SEATS_AVAILABLE: 'few seats',
      STANDING_ROOM_ONLY: 'standing room only',
      CRUSHED_STANDING_ROOM_ONLY: 'very crowded',
      FULL: 'full',
      NOT_ACCEPTING_PASSENGERS: 'not taking passengers',
    },
    classes: ['Good', 'Moderate', 'Poor', 'Bad', 'Very bad', 'Hazardous'],
    quantities: {
      pm1: 'PM1', pm25: 'PM2.5', pm10: 'PM10', tsp: 'TSP', so2: 'SO₂', no: 'NO', no2: 'NO₂', co: 'CO', o3: 'O₃',
      temperature: 'Temperature', humidity: 'Humidity', pressure: 'Pressure',
    },
  },
);
