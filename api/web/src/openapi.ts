// Written by go run ./deploy/webtypes from api/openapi.yaml; do not edit.

/** An air-quality index, with everything needed to interpret it */
export type AQI = {
  age_s?: number;
  capture_pct: number;
  /** The local day */
  date?: string;
  dominant: Quantity;
  level: IndexLevel;
  rule: 'hourly' | 'daily';
  /** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
  scale: Scale;
  /** The document that defines it */
  source: string;
  state?: State;
  sub_indices: {
    average: 'nowcast' | '1h' | '8h' | '24h' | 'max_1h' | 'max_8h';
    capture_pct: number;
    concentration: number;
    quantity: Quantity;
    unit: string;
    value: number;
  }[];
  /** The latest hour of the dominant quantity is suspect */
  suspect?: boolean;
  /** END of the hour or day */
  time: string;
  value: number;
};

export type Ack = {
  /** Its id */
  alert: string;
  by: string;
  note?: string;
  time: string;
};

/** The advice of Decision 1459 for the category, for everybody and for sensitive people */
export type Advice = {
  /** A text in both languages; if only one is known, both contain it */
  effect: Name;
  /** A text in both languages; if only one is known, both contain it */
  everyone: Name;
  /** A text in both languages; if only one is known, both contain it */
  sensitive: Name;
};

export type Air = {
  advice?: Record<string, Name>;
  age_s: number;
  aqi: {
    dominant: string;
    high?: number;
    level: IndexLevel;
    low?: number;
    rule: 'hourly';
    scale: string;
    source: string;
    sub_indices: {
      average: string;
      concentration: number;
      high?: number;
      low?: number;
      method: 'kriging' | 'idw';
      quantity: string;
      sites: number;
      unit: string;
      value: number;
    }[];
    value: number;
  } | null;
  nearest: {
    aqi?: number;
    distance_m: number;
    /** True if the station is silent but usually reports: `aqi`, and the air around it, are estimated from the others and its usual difference from them. Its history has no such values. */
    estimated?: boolean;
    id: string;
    kind?: string;
    /** A text in both languages; if only one is known, both contain it */
    name?: Name;
    state: 'live' | 'stale';
  }[];
  state: 'live' | 'stale';
  /** END of the hour */
  time: string;
  /** A text in both languages; if only one is known, both contain it */
  why?: Name;
};

/** The current air at a place, estimated; missing if no monitor is near enough */
export type AirBrief = {
  dominant: string;
  /** The true index is higher in one of ten cases */
  high?: number;
  level: IndexLevel;
  /** The true index is lower in one of ten cases */
  low?: number;
  scale: string;
  state: 'live' | 'stale';
  /** END of the hour */
  time: string;
  value: number;
};

/** An episode of a rule at a station */
export type Alert = {
  ack_by?: string;
  ack_note?: string;
  ack_time?: string;
  /** The newest CAP message about the alert */
  cap?: {
    identifier: string;
    /** Of the document */
    path: string;
  };
  /** Changes of the grade, oldest first: the first and the newest. Alerts of older collectors have none */
  changes?: {
    grade: number;
    threshold?: number;
    time: string;
    /** At the time, rounded */
    value: number;
  }[];
  /** 1 tendency, 2 preparing, 3 exceeding; 0: it has ended */
  grade: number;
  id: string;
  measure: string;
  peak: number;
  rule: string;
  since: string;
  station: string;
  /** A text in both languages; if only one is known, both contain it */
  station_name?: Name;
  /** Of the grade; after the end of the last one. Alerts of older collectors have none */
  threshold?: number;
  /** Time of the current grade */
  time: string;
  /** Of the values; missing for indices and flags */
  unit?: string;
  /** Rounded: indices and minutes whole, quantities to tenths, mg/m³ to hundredths */
  value: number;
};

/** Plain text in both languages, with line feeds */
export type AlertDescription = {
  en: string;
  vi: string;
};

/** A server-sent event. `data` is JSON. */
export type AlertEvent = {
  data: string;
  event: 'alert' | 'ready' | 'time';
};

/** One line of plain text in both languages */
export type AlertHeader = {
  en: string;
  vi: string;
};

/** http or https, for readers of both languages */
export type AlertURL = {
  en: string;
  vi: string;
};

export type AllReadings = {
  from: string;
  /** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
  index: Scale;
  license?: string;
  license_url?: string;
  /** The cursor of the next page; missing on the last */
  next?: string;
  period: 'raw' | 'hour' | 'day' | 'month';
  readings: (ReadingRow & {
    station: string;
  })[];
  source?: string;
  to: string;
};

export type Arrivals = {
  /** The active service alerts about the stop, its lines and the trips in arrivals */
  alerts: ServiceAlert[];
  arrivals: Departure[];
  stop: StopRef;
  time: string;
};

export type AuditEntry = {
  /** The state after; missing if it was removed */
  after?: Record<string, unknown>;
  /** The state before; missing if there was none */
  before?: Record<string, unknown>;
  /** Name of who did it */
  by: string;
  /** Of the review, the alert or the document */
  id: string;
  /** Id of the key */
  key?: string;
  /** Of the user action: review, ack or the kind of a document, such as key */
  kind: string;
  /** What it is about, as in station/hn-01 */
  object?: string;
  role?: string;
  time: string;
};

export type Bus = {
  geometry: Point;
  properties: {
    age_s: number;
    agency: string;
    bearing?: number;
    /** Probability that the inferred route and direction are right */
    confidence?: number;
    /** Seconds, positive = late */
    delay_s?: number;
    direction?: 0 | 1;
    /** Distance from `near` */
    distance_m?: number;
    flags?: ('teleport' | 'stuck' | 'wrong_sign_on')[];
    headsign?: string;
    /** Id of the vehicle; unique within its agency */
    id: string;
    /** Route, trip and headsign are inferred, because the bus reported no trip or a wrong one */
    inferred?: boolean;
    /** The line number that riders know */
    line?: string;
    next_stop?: string;
    /** Name of the next stop; with `near` */
    next_stop_name?: string;
    /** A GTFS-realtime occupancy status */
    occupancy?: string;
    origin?: 'simulated';
    /** On board, as counted */
    passengers?: number;
    /** From the fleet file */
    plate?: string;
    /** With `near`: whether the bus still approaches the place */
    relation?: 'approaching' | 'passed';
    /** GTFS route_id */
    route?: string;
    /** m/s */
    speed?: number;
    /** The age at which the position becomes stale: max(90 s, 3 × its interval) + the latency of its feed */
    stale_after_s: number;
    start_date?: string;
    start_time?: string;
    state: State;
    /** Status of the bus relative to the timetable; deadhead: on the way to the first stop of its trip, or away from the last one */
    status?: 'in_service' | 'layover' | 'deadhead' | 'off_route' | 'unknown';
    /** Time of the position; of its arrival, if the clock of the device was ahead */
    time: string;
    trip?: string;
    /** The usual line of the bus, from the fleet file; not necessarily its current line */
    usual_line?: string;
    /** With `near`: the nearest stop of its line that the bus has not reached yet and where riders may get on; none if the operator's feed says that its trip does not run, nor a stop that it says to be skipped */
    walk_to?: {
      /** A rider who starts walking now arrives before the bus in nine of ten cases */
      catchable?: boolean;
      id: string;
      lat: number;
      lon: number;
      /** Minutes until the bus arrives there */
      minutes?: number;
      name: string;
      walk_m: number;
      walk_s: number;
    };
  };
  type: 'Feature';
};

export type BusAhead = Bus & {
  properties?: {
    /** Waits at the first stop of its next trip, or after the last one */
    layover: boolean;
    /** Away from the path of its trip */
    off_route: boolean;
    /** Id of the path of its trip, as in `/v1/routes/{id}` */
    pattern?: string;
    stops_ahead: StopAhead[];
  };
};

export type BusCollection = {
  features: Bus[];
  /** Number of matching buses; missing with `near` */
  numberMatched?: number;
  numberReturned: number;
  /** Time of the answer by the platform's clock */
  time: string;
  type: 'FeatureCollection';
};

export type Calibration = {
  /** What staff have set over the web; missing if nothing */
  change?: {
    /** Who made the last change */
    by: string;
    state: 'in_force' | 'superseded' | 'invalid';
    time: string;
  };
  /** Of the fleet file, as in epa_2021; it excludes a calibration */
  correction?: string;
  /** By valid_from */
  lines: CalibrationLine[];
  quantity: Quantity;
  unit: string;
};

export type CalibrationEffect = {
  /** Comparisons with a limit over the local days of the span that would change */
  exceedances: {
    after: LimitComparison;
    before: LimitComparison;
  }[];
  from: string;
  indices: {
    after: number | null;
    before: number | null;
    rule: 'hourly' | 'daily';
    /** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
    scale: Scale;
    /** END */
    time: string;
  }[];
  /** Those that would be in force */
  lines: CalibrationLineSet[];
  means: {
    above_after: boolean;
    above_before: boolean;
    after: number | null;
    average: '1h' | '8h' | '24h';
    /** Null where there is no complete mean */
    before: number | null;
    /** In force for this average, if there is one */
    limit?: number;
    quantity: Quantity;
    /** END */
    time: string;
    unit: string;
  }[];
  quantity: Quantity;
  station: string;
  to: string;
  /** Readings whose corrected value would change */
  values: number;
};

export type CalibrationLine = {
  /** Who added it over the web */
  by?: string;
  /** It corrects values of now */
  current: boolean;
  /** For DELETE; of lines in force */
  id?: string;
  /** It corrects values since valid_from, until the next line in force */
  in_force: boolean;
  /** In the unit of the quantity */
  offset: number;
  slope: number;
  source: 'file' | 'web';
  /** When */
  time?: string;
  valid_from: string;
  why?: string;
};

export type CalibrationLineSet = {
  /** Who added it over the web; none for a line of the file */
  by?: string;
  offset: number;
  slope: number;
  time?: string;
  valid_from: string;
  why?: string;
};

/** CoverageJSON: a Coverage, or a CoverageCollection, which is empty where there are no data. */
export type Coverage = {
  coverages?: Record<string, unknown>[];
  domain?: Record<string, unknown>;
  id?: string;
  parameters: Record<string, unknown>;
  ranges?: Record<string, unknown>;
  referencing?: Record<string, unknown>[];
  type: 'Coverage' | 'CoverageCollection';
};

export type Datasets = {
  datasets: {
    /** A text in both languages; if only one is known, both contain it */
    description: Name;
    distributions: {
      format: 'json' | 'csv' | 'parquet';
      media_type: string;
      templated?: boolean;
      url: string;
    }[];
    id: string;
    /** As SPDX spells it: CC-BY-4.0 */
    license?: string;
    license_url?: string;
    /** Who measures and publishes */
    source?: string;
    temporal?: {
      end: string;
      start: string;
    };
    /** A text in both languages; if only one is known, both contain it */
    title: Name;
  }[];
};

export type DayArrivals = {
  arrivals: {
    agency: string;
    /** Seconds */
    delay?: number;
    /** Missing while the bus stands */
    departed?: string;
    /** Of the stop in its pattern */
    index: number;
    inferred: boolean;
    origin?: 'simulated';
    route: string;
    /** Service day, YYYYMMDD */
    start_date?: string;
    start_time?: string;
    stop: string;
    /** Of the arrival; at the first stop, of the departure */
    time: string;
    trip?: string;
    vehicle: string;
  }[];
  date: string;
  license?: string;
  license_url?: string;
  /** The cursor of the next page; missing on the last */
  next?: string;
  source?: string;
};

export type DayPositions = {
  date: string;
  license?: string;
  license_url?: string;
  /** The cursor of the next page; missing on the last */
  next?: string;
  positions: {
    agency: string;
    /** Degrees clockwise from north */
    bearing?: number;
    /** Seconds */
    delay?: number;
    direction?: number;
    /** Not received but estimated by the bus */
    estimated: boolean;
    lat?: number;
    line?: string;
    lon?: number;
    next_stop?: string;
    occupancy?: string;
    origin?: 'simulated';
    passengers?: number;
    route?: string;
    /** m/s */
    speed?: number;
    /** Service day, YYYYMMDD */
    start_date?: string;
    start_time?: string;
    stop?: string;
    time: string;
    trip?: string;
    vehicle: string;
  }[];
  source?: string;
};

export type DeadLetter = {
  /** The reason, as in the ledger: malformed, out_of_range, future … */
  code: string;
  collector: string;
  /** format/version */
  decoder?: string;
  /** As in the ledger */
  device: string;
  field?: string;
  /** Unique within its collector */
  id: string;
  /** The row of line protocol that the database rejected, instead of a payload */
  line?: string;
  payload?: string;
  /** Instead of `payload`, if that is not UTF-8 */
  payload_b64?: string;
  received: string;
  /** The last replay */
  replay?: {
    code?: string;
    passed: number;
    rule?: string;
    time: string;
  };
  rows: number;
  rule: string;
  /** Of the payload, in bytes */
  size: number;
  topic?: string;
  /** Number of letters of the same sender before this one that were counted and not stored, because it sent too many invalid messages */
  unkept?: number;
};

export type DeadLetters = {
  letters: DeadLetter[];
  /** Start of the next page; missing on the last one */
  next?: string;
  /** Collectors that did not answer */
  silent?: string[];
};

export type Departure = {
  age_s?: number;
  agency?: string;
  /** What the expected time comes from. `position`: a bus on this trip. `next_trip`: a bus that serves this trip after its present one. `learned`: no bus is known; how buses of the line depart and drive, by what was learned of them. `timetable`: no bus is known, and nothing was learned yet, or it is more than 90 minutes ahead; `expected` is absent. `operator`: the operator's realtime feed */
  basis?: 'position' | 'next_trip' | 'learned' | 'timetable' | 'operator';
  confidence?: number;
  /** The trip that the bus serves now, if this is a later one */
  current_trip?: string;
  direction?: 0 | 1;
  /** How riders get off (GTFS `drop_off_type`); absent if they just do. It is `none` at the first stop. */
  drop_off?: 'none' | 'phone_agency' | 'coordinate_with_driver';
  /** One bus in ten arrives before it; absent if the feed's time is told */
  early?: string;
  /** For riders, early rather than late: see predict.lean. What it comes from, `basis` says. Without a known bus it stays until 10 minutes after the expected time, at least 30 s ahead */
  expected?: string;
  /** The time of the other one, where a bus is predicted by us and the operator's realtime feed expects it, too */
  expected_other?: string;
  headsign: string;
  /** For a line with headways instead of times */
  headway_s?: number;
  /** One bus in ten arrives after it */
  late?: string;
  line: string;
  minutes: number;
  occupancy?: string;
  off_route?: boolean;
  origin?: 'simulated';
  /** On board, as counted */
  passengers?: number;
  /** How riders get on (GTFS `pickup_type`); absent if they just do. It is `none` at the last stop. */
  pickup?: 'none' | 'phone_agency' | 'coordinate_with_driver';
  /** Who predicted `expected`: we, or the operator's realtime feed. Where both do, the setting of the feed decides (feeds[].predictions) */
  predicted_by?: PredictedBy;
  /** Of a trip that runs beside the timetable, by the operator's realtime feed */
  relationship?: 'ADDED' | 'UNSCHEDULED' | 'REPLACEMENT' | 'DUPLICATED' | 'NEW';
  route: string;
  scheduled?: string;
  /** `live`: a bus reports and is predicted. `stale`: it has been silent for too long. `scheduled`: the trip has not begun. `no_report`, `not_coming`: it should have begun, or long ago, and no bus reports. By the operator's realtime feed: `forecast`: no bus reports, and `expected` is the operator's. `canceled`: the trip does not run. `skipped`: it does not call at this stop. Nothing is expected of the last two */
  state: 'live' | 'stale' | 'scheduled' | 'no_report' | 'not_coming' | 'forecast' | 'canceled' | 'skipped';
  stop: string;
  stops_away?: number;
  /** Time of the bus's position */
  time?: string;
  trip?: string;
  vehicle?: string;
};

export type Departures = {
  lines: {
    /** The current air at a place, estimated; missing if no monitor is near enough */
    air?: AirBrief;
    color?: string;
    departures: Departure[];
    direction?: 0 | 1;
    headsign: string;
    line: string;
    route: string;
    stop: StopRef;
    walk_m: number;
    walk_s: number;
  }[];
  time: string;
};

export type Device = {
  /** Of a bus */
  agency?: string;
  /** Over MQTT */
  connected: boolean;
  /** Start of its latest connection */
  connected_since?: string;
  disabled: boolean;
  /** Its feed in the fleet file */
  feed: string;
  /** That it is connected to or that heard it last */
  gateway?: string;
  /** Arrival of its last message, over MQTT or HTTP */
  heard?: string;
  id: string;
  /** The last time that a limit slowed it down or ended its connection. `reason` is the class of the limit, as in `nhip_gateway_limited_total`. */
  limited?: DeviceEvent;
  /** The last log-in, message or subscription that was refused: `credentials`, `client_id`, `disabled`, `revoked` (`detail` is the address of the client), `publish` or `subscribe` (`detail` is the topic). */
  refused?: DeviceEvent;
  /** The last time that another connection with its client id ended its connection; `detail` is the address of the other one. Two devices with one secret do that to each other again and again. */
  taken_over?: DeviceEvent;
};

export type DeviceEvent = {
  detail?: string;
  reason: string;
  time: string;
};

export type DeviceSecret = {
  id: string;
  /** Told once; the platform keeps its digest */
  secret: string;
};

export type Devices = {
  devices: Device[];
  /** `after` of the next page; absent on the last one */
  next?: string;
  /** Gateways that did not answer; what they know is missing. */
  silent?: string[];
};

/** A collection as OGC API - EDR 1.1 describes it. */
export type EDRCollection = {
  crs: string[];
  data_queries: Record<string, {
    link: EDRLink;
  }>;
  description: string;
  extent: {
    spatial: {
      bbox: readonly [number, number, number, number][];
      crs: string;
    };
    temporal: {
      interval: (readonly [string | null, string | null])[];
      trs: string;
    };
  };
  id: string;
  links: EDRLink[];
  output_formats: string[];
  parameter_names: Record<string, EDRParameter>;
  title: string;
};

/** GeoJSON: points with the values of the parameters as properties. */
export type EDRFeatures = {
  features: {
    geometry: Record<string, unknown>;
    id?: string;
    properties: Record<string, unknown>;
    type: 'Feature';
  }[];
  links?: EDRLink[];
  parameters: Record<string, EDRParameter>;
  type: 'FeatureCollection';
};

export type EDRLink = {
  href: string;
  rel: string;
  templated?: boolean;
  title?: string;
  type?: string;
  variables?: Record<string, unknown>;
};

export type EDRParameter = {
  description: string;
  id: string;
  label: string;
  measurementType: {
    duration: string;
    method: string;
  };
  observedProperty: {
    id?: string;
    label: string;
  };
  type: 'Parameter';
  unit: {
    label: string;
    symbol: {
      type: string;
      value: string;
    };
  };
};

/** How right the expected times of a feed were, and ours of the same arrivals at the same moments, in the last three weeks */
export type FeedQuality = {
  agency: string;
  /** Questions to boards that an arrival answered */
  board_minutes: number;
  feed: string;
  ours: RivalScore;
  /** The setting of the feed */
  predictions: 'ours' | 'theirs' | 'better';
  /** Since when, if the setting is better and has changed it (UTC) */
  since?: string;
  theirs: RivalScore;
  /** Whose times are told where both have one */
  told: 'ours' | 'theirs';
};

/** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
export type Flag = 1 | 2 | 3 | 4 | 9;

export type Found = {
  found: {
    /** From `near`; of a zone, to its middle */
    distance_m?: number;
    /** The field of that name is set */
    kind: 'route' | 'stop' | 'place' | 'station';
    place?: NamedRef;
    route?: Route;
    station?: NamedRef;
    stop?: StopRef;
  }[];
  query: string;
};

export type IndexLevel = {
  color: string;
  /** A text in both languages; if only one is known, both contain it */
  name: Name;
  number: number;
};

export type Key = {
  created?: string;
  expired?: boolean;
  expires?: string;
  id: string;
  /** The hour in which it was used last */
  last_use?: string;
  name: string;
  role: Role;
  /** When its secret was replaced last */
  rotated?: string;
  /** What the caller sees. A station is in scope if any of zones, areas and stations names it; agencies limit buses and their devices. What no list limits is in scope. The rest is as if it did not exist. */
  scope?: Scope;
  /** Only in the answer that makes it */
  secret?: string;
};

export type Layer = {
  crs: string[];
  description?: string;
  extent?: Record<string, unknown>;
  id: string;
  itemType: 'feature';
  links: Link[];
  title: string;
};

export type LayerFeature = {
  geometry: {
    coordinates: unknown[];
    type: 'Point' | 'MultiLineString' | 'MultiPolygon';
  };
  id: string;
  links?: Link[];
  properties: Record<string, unknown>;
  type: 'Feature';
};

export type Ledger = {
  /** Start of the next page; missing on the last one */
  next?: string;
  rows: LedgerRow[];
  /** Collectors that did not answer */
  silent?: string[];
};

export type LedgerRow = {
  collector: string;
  counted?: {
    revised: number;
    stored: number;
  };
  /** The database lacks rows that a retention policy may have deleted */
  deleted?: boolean;
  /** `bus/<agency>/<vehicle>`, `air/<station>`, `topic/<topic>` if a message does not identify its device, or `journal/intake` if it is lost */
  device: string;
  /** The database differs from the collectors' counts */
  differs?: boolean;
  /** Received before, with the same content */
  duplicate: number;
  /** Start of the hour of device time, or of arrival if that is unknown */
  hour: string;
  /** Acknowledged, then lost with a damaged or missing journal */
  lost: number;
  /** On disk, on the way to the database */
  pending: number;
  received: number;
  /** In the dead letters, by reason */
  rejected: Record<string, number>;
  /** Received before with another content; in the database next to the first one */
  revised: number;
  /** In the database */
  stored: number;
  /** The counts do not add up */
  unbalanced?: boolean;
};

export type Level = 'raw' | 'automatic' | 'reviewed';

export type LimitComparison = {
  average: '1h' | '8h' | '24h' | 'year';
  capture_pct: number;
  evaluated: number;
  hours: number;
  limit: number;
  longest_hours: number;
  max: number | null;
  max_time: string | null;
  /** Means above the limit */
  number: number;
  quantity: Quantity;
  unit: string;
};

export type LineQuality = {
  arrivals: number;
  bias_s: number;
  /** ETA Accuracy Benchmark of what boards told, with or without a bus */
  board: number;
  /** 0–3, 3–6, 6–10, 10–15 minutes to the arrival */
  board_bins: number[];
  /** Questions to boards that an arrival answered: for each stop of a trip, one every four minutes */
  board_minutes: number;
  /** What boards told, as shares of `board_minutes`: a bus on its way, one that has not begun the trip (it waits at the first stop or serves the trip before), a time without a bus, nothing */
  board_parts: {
    live: number;
    nothing: number;
    timetable: number;
    waiting: number;
  };
  /** ETA Accuracy Benchmark: the mean of its bins that are not empty */
  eta_benchmark: number;
  /** 0–3, 3–6, 6–10, 10–15 minutes to the arrival; 0 if empty */
  eta_benchmark_bins: number[];
  /** Promises of buses within 15 minutes, and the shares of them that no bus kept within half an hour: of all, and of those of a bus on its way, one at its first stop, one that serves the trip before, and of no known bus */
  ghosts: {
    live: number;
    next: number;
    promises: number;
    share: number;
    timetable: number;
    waiting: number;
  };
  line?: string;
  /** Mean absolute error in the bins of the benchmark */
  mae_s: number[];
  /** Share within the MBTA's windows */
  mbta: number;
  /** 0–3, 3–6, 6–12, 12–30 minutes predicted */
  mbta_bins: number[];
  /** Share of arrivals within the predicted range; ideally 80 */
  p10_p90_cover: number;
  predictions: number;
  route?: string;
};

export type Link = {
  href: string;
  rel: string;
  title?: string;
  type: string;
};

/** A server-sent event. `data` is JSON. */
export type LiveEvent = {
  data: string;
  event: 'hello' | 'resumed' | 'reset' | 'bus' | 'air' | 'moves' | 'ready' | 'gone' | 'board' | 'zone' | 'tiles' | 'service-alert' | 'beat' | 'time';
};

export type Map = {
  attribution: string;
  /** Bounds of the first view: of the network, and of the buses and stations around it. minLon,minLat,maxLon,maxLat */
  bounds?: readonly [number, number, number, number] | null;
  center: readonly [number, number];
  /** Under what the data may be used, and whom to name as their source; missing if none is configured */
  license?: {
    name?: string;
    source?: string;
    url?: string;
  };
  /** Path of a base map in one file, PMTiles 3; missing if there is none or a style is set */
  pmtiles?: string;
  /** The data are simulated */
  simulated?: boolean;
  /** URL of a MapLibre style; null: Nhịp's own base map */
  style: string | null;
  zoom: number;
};

/** A span of hours of one quantity that are likely to be wrong. The correction that is proposed, if any, is value × `factor` + `offset`, and `shift_h` hours added to the time. It is never applied by itself. */
export type MonitorFault = {
  /** swap: PM2.5 and PM10 are exchanged; equal: PM10 is PM2.5 to the last digit; contradiction: differs from all others by a factor that no place explains */
  cause: 'gain' | 'offset' | 'unit' | 'drift' | 'zero' | 'level' | 'burst' | 'spike' | 'noise' | 'swap' | 'clock' | 'stuck' | 'equal' | 'contradiction';
  factor?: number;
  /** 3 suspect, 4 failed: certain */
  flag: 3 | 4;
  /** In the quantity's unit */
  offset?: number;
  /** Whether it reaches up to the newest hour of the monitor */
  open: boolean;
  quantity: Quantity;
  shift_h?: number;
  /** Start of its first hour */
  since: string;
  /** End of its last hour so far */
  until: string;
};

export type MonthlyReport = {
  area?: string;
  calendar: {
    /** Stations with an index above 100 */
    above_100: number;
    date: string;
    dominant?: Quantity;
    /** Highest daily VN_AQI of the stations */
    index: number | null;
    level: IndexLevel | null;
    /** With the highest index */
    station?: string;
    /** With an index */
    stations: number;
  }[];
  /** Whether the month is over */
  complete: boolean;
  /** Comparisons with limits; those without any mean are left out */
  exceedances: (LimitComparison & {
    area?: string;
    name?: string;
    station: string;
  })[];
  from: string;
  level: Level;
  made: string;
  month: string;
  /** Of each quantity with a limit; over several stations, each counts once */
  profiles: {
    /** By local hour of the day, from 00:00 */
    diurnal: (number | null)[];
    quantity: Quantity;
    unit: string;
    /** By day of the week, from Monday */
    weekdays: (number | null)[];
  }[];
  /** Over the stations; means are those of the stations' means */
  quantities: (MonthlyStats & {
    /** With enough data for a mean */
    complete: number;
    max_station?: string;
    quantity: Quantity;
    /** That measured it */
    stations: number;
    unit: string;
  })[];
  rows: (MonthlyStats & {
    area?: string;
    /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
    flag: Flag;
    /** Complete ones */
    hours: number;
    name?: string;
    p98: number | null;
    quantity: Quantity;
    station: string;
    unit: string;
  })[];
  /** Stations without a complete hour */
  silent: string[];
  /** Of the limits */
  source: string;
  station?: string;
  stations: number;
  /** End of the month, or now */
  to: string;
  zone: string;
};

export type MonthlyStats = {
  capture_pct: number;
  /** Of the mean since last year; over several stations, of those with a mean of both years */
  change_pct: number | null;
  /** Of the same month a year before */
  last_year_mean: number | null;
  max: number | null;
  /** Null below 75 % of data */
  mean: number | null;
  min: number | null;
};

/** A text in both languages; if only one is known, both contain it */
export type Name = {
  en: string;
  vi: string;
};

export type NamedRef = {
  id: string;
  /** Missing if the position is private or not known */
  lat?: number;
  lon?: number;
  name?: string;
  name_en?: string;
  /** Of a place, as in `hospital`; of a zone, its kind */
  type?: string;
  /** Of a place that is a zone: kind/id */
  zone?: string;
};

export type NewKey = {
  /** Default: never */
  expires?: string;
  /** Default, and if it is empty: a new one */
  id?: string;
  /** Of the person or program, for the audit */
  name: string;
  role: Role;
  /** What the caller sees. A station is in scope if any of zones, areas and stations names it; agencies limit buses and their devices. What no list limits is in scope. The rest is as if it did not exist. */
  scope?: Scope;
};

/** A field that the kind does not use must be missing. */
export type NewReminder = {
  /** air: fires when the value is above it. Required for air */
  above?: number;
  /** Agency of the vehicle */
  agency?: string;
  /** GTFS direction_id, for bus, leave and line; default: both */
  direction?: 0 | 1;
  /** Default: in 2 hours, for line and air in 24. At most in 12 hours, for line and air in 7 days */
  expires?: string;
  /** Of /v1/reminders/form; required without a key */
  form_token?: string;
  /** Only buses with this destination, for bus and leave */
  headsign?: string;
  /** air: the index that is compared. Default VN_AQI */
  index?: 'VN_AQI' | 'US_EPA';
  kind: ReminderKind;
  /** The language of title and body */
  lang?: 'vi' | 'en';
  /** GTFS route_id or public number. Required for bus, leave and line */
  line?: string;
  /** Before the bus is there. bus: default 5; get_off: instead of stops */
  minutes?: number;
  /** WGS84. It is kept rounded to 0.005 degrees, about 500 m */
  place?: ReminderPlace;
  /** air: instead of the index, the hourly mean of a station, µg/m³ */
  quantity?: 'pm25' | 'pm10' | 'so2' | 'no2' | 'o3' | 'co';
  /** air: a station */
  station?: string;
  /** GTFS stop_id. Required for bus, leave and get_off; air: the place of the stop */
  stop?: string;
  /** get_off: fires when the bus reaches the stop so many before. Default 1 */
  stops?: number;
  /** Only the bus on this GTFS trip_id, for bus and leave */
  trip?: string;
  /** Also tell changes of the minutes before it fires, for bus, leave and get_off */
  updates?: boolean;
  /** Only this bus, with agency. Required for get_off */
  vehicle?: string;
  /** Walk to the stop, seconds. Required for leave. From where is not asked */
  walk_s?: number;
  /** For keys of apps. In answers the address is only its scheme and host */
  webhook?: ReminderWebhook;
};

export type NewSchedule = {
  active?: boolean;
  /** Only of the stations of this area */
  area?: string;
  /** Time of day in the time zone of the city */
  at: string;
  /** Of the month, 1 to 31, where a month without it has its last day; of the week, 1 is Monday; none for every day */
  day?: number;
  every: 'day' | 'week' | 'month';
  lang?: 'vi' | 'en';
  /** What people call it */
  name: string;
  /** E-mail addresses, as in lan@hanoi.example */
  recipients: string[];
  /** `monthly` is of the month before, `exceedances` of the day before */
  report: 'monthly' | 'exceedances';
  /** Only of this station; not with `area` */
  station?: string;
};

export type NewServiceAlert = {
  /** Its agency_id in the timetable */
  agency: string;
  cause: 'UNKNOWN_CAUSE' | 'OTHER_CAUSE' | 'TECHNICAL_PROBLEM' | 'STRIKE' | 'DEMONSTRATION' | 'ACCIDENT' | 'HOLIDAY' | 'WEATHER' | 'MAINTENANCE' | 'CONSTRUCTION' | 'POLICE_ACTIVITY' | 'MEDICAL_EMERGENCY';
  /** Plain text in both languages, with line feeds */
  description?: AlertDescription;
  effect: 'NO_SERVICE' | 'REDUCED_SERVICE' | 'SIGNIFICANT_DELAYS' | 'DETOUR' | 'ADDITIONAL_SERVICE' | 'MODIFIED_SERVICE' | 'OTHER_EFFECT' | 'UNKNOWN_EFFECT' | 'STOP_MOVED' | 'NO_EFFECT' | 'ACCESSIBILITY_ISSUE';
  /** One line of plain text in both languages */
  header: AlertHeader;
  /** Makes a repeated request harmless; missing: a new one */
  id?: string;
  /** What it is about. Each item selects what has all of its properties */
  informed: {
    /** That of the alert */
    agency?: string;
    /** With a route */
    direction?: 0 | 1;
    /** route_id */
    route?: string;
    /** Of GTFS, as in 3 for buses; without route and trip */
    route_type?: number;
    /** stop_id of a stop or station */
    stop?: string;
    /** stop_id of the one to use instead of `stop`; also named in the description that riders see */
    substitute_stop?: string;
    /** trip_id */
    trip?: string;
  }[];
  /** When it is active, in order and without overlaps */
  periods: {
    /** Inclusive; only the first may be missing, and begins now then */
    from?: string;
    /** Exclusive, after `from`, at most 366 days ahead */
    to: string;
  }[];
  severity: 'INFO' | 'WARNING' | 'SEVERE';
  /** Riders see what is published */
  status: 'draft' | 'published';
  /** http or https, for readers of both languages */
  url?: AlertURL;
};

export type Open311Definition = {
  attributes: {
    code: string;
    datatype: 'string' | 'datetime' | 'singlevaluelist';
    datatype_description: string | null;
    description: string;
    order: number;
    required: boolean;
    values?: {
      key: string;
      name: string;
    }[];
    variable: boolean;
  }[];
  service_code: string;
};

export type Open311Discovery = {
  changeset: string;
  contact: string;
  endpoints: {
    changeset: string;
    formats: string[];
    specification: string;
    type: 'production' | 'test';
    url: string;
  }[];
  key_service: string;
};

/** A place is required: `lat` and `long`, `address_string`, `address_id`, or the attribute `stop` or `bus`. What names the sender is for staff only, and is deleted after a time. */
export type Open311Report = {
  account_id?: string | null;
  address_id?: string | null;
  address_string?: string | null;
  api_key?: string | null;
  /** Answers by the code of the attribute; see the definition of the service. */
  attribute?: Record<string, unknown>;
  /** At most 4000 characters, without control characters besides tabs and ends of lines */
  description?: string | null;
  device_id?: string | null;
  email?: string | null;
  first_name?: string | null;
  form_token?: string | null;
  jurisdiction_id?: string | null;
  /** The language of `service_notice` */
  lang?: 'vi' | 'en' | '' | null;
  last_name?: string | null;
  /** Degrees. */
  lat?: number | string;
  /** Degrees. */
  long?: number | string;
  /** Where a photo is, https. It is stored and shown to staff, and never fetched */
  media_url?: string | null;
  phone?: string | null;
  service_code: string;
};

export type Open311Request = {
  /** Always null */
  address: string | null;
  /** Always null */
  address_id: string | null;
  /** Id of the transit agency, of a report on its buses */
  agency_responsible: string | null;
  /** If staff have published it */
  description: string | null;
  expected_datetime: string | null;
  /** What was known of the place and the minute; only with `extensions=true`. */
  extended_attributes?: {
    /** When it happened */
    at: string;
    dominant: string | null;
    group: 'transport' | 'environment';
    /** The scale of the air quality index */
    index: string | null;
    index_value: number | null;
    line: string | null;
    /** Whose position it is; `nearby` is the sender's, rounded to about 500 m */
    place: 'stop' | 'bus' | 'sender' | 'nearby' | null;
    /** µg/m³ */
    pm25: number | null;
    stop_id: string | null;
    stop_name: string | null;
    zones: {
      /** kind/id */
      id: string;
      name: string;
    }[];
  };
  /** Of the stop or the bus, or of the sender if that was asked for */
  lat: number | null;
  long: number | null;
  /** The photo, if staff have published it */
  media_url: string | null;
  requested_datetime: string;
  service_code: string;
  service_name: string;
  service_notice: string | null;
  service_request_id: string;
  status: 'open' | 'closed';
  /** The answer of staff */
  status_notes: string | null;
  updated_datetime: string;
  /** Always null */
  zipcode: string | null;
};

export type Open311Service = {
  description: string;
  group: 'transport' | 'environment';
  keywords: string;
  metadata: boolean;
  service_code: string;
  service_name: string;
  type: 'realtime';
};

export type Point = {
  coordinates: readonly [number, number];
  type: 'Point';
};

/** Who predicted `expected`: we, or the operator's realtime feed. Where both do, the setting of the feed decides (feeds[].predictions) */
export type PredictedBy = 'ours' | 'theirs';

/** RFC 9457 */
export type Problem = {
  code: 'invalid' | 'unauthorized' | 'forbidden' | 'not_found' | 'conflict' | 'too_large' | 'too_many' | 'unavailable' | 'internal';
  /** field: the rule that it violates */
  detail?: string;
  field?: string;
  status: number;
  title: string;
  type: string;
  /** With 429: client or key */
  "violated-policies"?: string[];
};

export type Quality = {
  all: LineQuality;
  /** Realtime feeds that expect times of trips that we predict, too */
  feeds: FeedQuality[];
  lines: LineQuality[];
  since: string;
  time: string;
};

export type Quantity = 'pm1' | 'pm25' | 'pm10' | 'tsp' | 'so2' | 'no' | 'no2' | 'co' | 'o3' | 'temperature' | 'humidity' | 'pressure' | 'wind_speed' | 'wind_direction';

/** A server-sent event. `data` is JSON. */
export type QueueEvent = {
  data: string;
  event: 'report' | 'ready' | 'time';
};

/** A citizen's report as staff see it. */
export type QueuedReport = {
  answer?: string;
  /** Id of the key of the app that sent it */
  app?: string;
  assignee?: string;
  /** When it happened */
  at: string;
  attributes?: Record<string, string[]>;
  /** What names the sender; only of a single report, until it is deleted */
  contact?: {
    account_id?: string;
    address?: string;
    address_id?: string;
    device_id?: string;
    email?: string;
    first_name?: string;
    last_name?: string;
    phone?: string;
    received: string;
    report: string;
  };
  group: 'transport' | 'environment';
  id: string;
  /** What was known of the place and the minute. What was unknown is missing. */
  known: {
    /** That runs the bus, the line or all lines of the stop */
    agency?: string;
    air?: {
      dominant: string;
      level: IndexLevel;
      scale: string;
      /** The end of the hour */
      time: string;
      value: number;
      /** Concentrations by quantity, µg/m³ */
      values: Record<string, number>;
    };
    /** The area of that monitor */
    area?: string;
    bus?: {
      agency: string;
      distance_m?: number;
      headsign?: string;
      id: string;
      line?: string;
      /** By the sender; otherwise it is the nearest */
      named?: boolean;
      occupancy?: string;
      plate?: string;
      route?: string;
      time: string;
      trip?: string;
    };
    /** Id of the nearest monitor */
    station?: string;
    stop?: {
      distance_m?: number;
      id: string;
      name: string;
    };
    zones?: {
      /** kind/id */
      id: string;
      name: {
        en?: string;
        vi?: string;
      };
    }[];
  };
  lat?: number;
  lon?: number;
  /** By the sender; not checked */
  media_url?: string;
  notes?: {
    by: string;
    text: string;
    time: string;
  }[];
  photo?: boolean;
  place?: 'stop' | 'bus' | 'sender' | 'nearby';
  public_photo?: boolean;
  public_text?: boolean;
  received: string;
  service: string;
  service_name: {
    en?: string;
    vi?: string;
  };
  status: 'open' | 'closed';
  text?: string;
  updated: string;
  version: number;
};

export type Readiness = {
  /** Parts that are not available */
  degraded: string[];
  ready: boolean;
  /** Why parts are not available, by their names, where it is known */
  reasons?: Record<string, string>;
  /** What the api still waits for */
  waiting?: string[];
};

export type ReadingRow = {
  /** Sub-index of the quantity */
  aqi?: number;
  capture_pct?: number;
  /** Number of values of an hour; number of complete hours of a day or a month */
  count?: number;
  /** Local day or month, if the period is one */
  date?: string;
  /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
  flag: Flag;
  level: Level;
  max?: number;
  /** Mean of an hour, a day or a month; null without valid values */
  mean?: number | null;
  min?: number;
  origin?: 'simulated';
  /** 98th percentile */
  p98?: number;
  /** 5m, 1h, 1d, 1mo … */
  period: string;
  quantity: Quantity;
  /** Name of the correction */
  rule?: string;
  /** Automatic checks that the value did not pass: spike=4,humidity=3 */
  tests?: string;
  /** END of the period */
  time: string;
  unit: string;
  utc_offset: string;
  /** Value of a reading; null if it failed the checks */
  value?: number | null;
};

export type Readings = {
  from: string;
  /** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
  index: Scale;
  level: Level;
  /** The cursor of the next page; missing on the last */
  next?: string;
  period: 'raw' | 'hour' | 'day' | 'month';
  readings: ReadingRow[];
  station: string;
  to: string;
};

export type Recomputing = {
  days: number;
  hours: number;
};

export type Reminder = {
  above?: number;
  agency?: string;
  created: string;
  direction?: 0 | 1;
  /** It fires no more after it */
  expires: string;
  /** At most 4 kB, with a title and a text for a lock screen */
  fired?: ReminderNotification;
  /** When it fires by what is predicted now, which may change; missing if nothing predicts it */
  fires_by?: string;
  headsign?: string;
  id: string;
  index?: string;
  kind: ReminderKind;
  lang?: string;
  /** GTFS route_id */
  line?: string;
  minutes?: number;
  /** WGS84. It is kept rounded to 0.005 degrees, about 500 m */
  place?: ReminderPlace;
  quantity?: string;
  /** `waiting`; `fired`; `ended`: it will not fire, because the bus or the trip is gone. */
  state: ReminderState;
  station?: string;
  stop?: string;
  stops?: number;
  /** Only in the answer that makes it */
  token?: string;
  /** The MQTT topic of its notifications */
  topic: string;
  trip?: string;
  updates?: boolean;
  vehicle?: string;
  walk_s?: number;
  /** For keys of apps. In answers the address is only its scheme and host */
  webhook?: ReminderWebhook;
};

/** A server-sent event. `data` is JSON. */
export type ReminderEvent = {
  data: string;
  event: 'reminder' | 'ready' | 'gone' | 'beat';
};

export type ReminderKind = 'bus' | 'leave' | 'get_off' | 'line' | 'air';

/** At most 4 kB, with a title and a text for a lock screen */
export type ReminderNotification = {
  /** air */
  above?: number;
  agency?: string;
  /** line: the id of the service alert, with its feed */
  alert?: string;
  body: string;
  /** Web hook: what the app's server knows the device by */
  device?: string;
  early?: string;
  /** Of the notification: the same for each attempt and each channel */
  event: string;
  expected?: string;
  headsign?: string;
  /** Of the reminder */
  id: string;
  kind: ReminderKind;
  late?: string;
  /** leave: when to go at the latest */
  leave?: string;
  /** The public number */
  line?: string;
  /** Until early, rounded down, when it was decided */
  minutes?: number;
  /** ended: why; fired: passed if the bus is past the stop */
  reason?: 'bus_gone' | 'trip_over' | 'passed';
  /** `waiting`; `fired`; `ended`: it will not fire, because the bus or the trip is gone. */
  state: ReminderState;
  stop?: string;
  stop_name?: string;
  /** get_off */
  stops_left?: number;
  /** When it was decided */
  time: string;
  title: string;
  /** air */
  value?: number;
  vehicle?: string;
};

/** WGS84. It is kept rounded to 0.005 degrees, about 500 m */
export type ReminderPlace = {
  lat: number;
  lon: number;
};

/** `waiting`; `fired`; `ended`: it will not fire, because the bus or the trip is gone. */
export type ReminderState = 'waiting' | 'fired' | 'ended';

/** For keys of apps. In answers the address is only its scheme and host */
export type ReminderWebhook = {
  /** What the app's server knows the device by; it is sent back in each notification */
  device?: string;
  /** https, of a host that the operator allows */
  url: string;
};

export type Replayed = {
  replayed: {
    /** Why the others are still rejected */
    code?: string;
    collector: string;
    id: string;
    /** Rows that are accepted now; duplicates count too */
    passed: number;
    rule?: string;
  }[];
};

export type Retentions = {
  streams: {
    deleted: boolean;
    /** Why they can't be deleted yet */
    held?: string;
    /** 0: for ever */
    keep_days: number;
    /** When the oldest row becomes due, if none is due yet */
    next?: string;
    oldest?: string;
    rows: number;
    stream: 'position' | 'reading' | 'arrival';
    /** Rows up to this time are to be deleted */
    until?: string;
  }[];
};

export type Review = {
  /** `undo`: the review in `of` counts no longer; all others do */
  action: 'strike' | 'restore' | 'annotate' | 'baseline' | 'undo';
  by: string;
  from: string;
  id: string;
  /** Of `undo`, the review that is taken back */
  of?: string;
  quantity?: Quantity;
  station: string;
  /** Time of the decision */
  time: string;
  to: string;
  why: string;
};

export type ReviewEffect = {
  action: 'strike' | 'restore' | 'annotate' | 'baseline' | 'undo';
  /** Comparisons with a limit over the local days of the span that would change */
  exceedances: {
    after: LimitComparison;
    before: LimitComparison;
  }[];
  from: string;
  indices: {
    after: number | null;
    before: number | null;
    rule: 'hourly' | 'daily';
    /** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
    scale: Scale;
    /** END */
    time: string;
  }[];
  means: {
    above_after: boolean;
    above_before: boolean;
    after: number | null;
    average: '1h' | '8h' | '24h';
    /** Null where there is no complete mean */
    before: number | null;
    /** In force for this average, if there is one */
    limit?: number;
    quantity: Quantity;
    /** END */
    time: string;
    unit: string;
  }[];
  of?: string;
  quantity?: Quantity;
  station: string;
  to: string;
  /** Readings whose flag would change */
  values: number;
};

export type RivalScore = {
  /** ETA Accuracy Benchmark: the mean of its bins that are not empty */
  board: number;
  /** 0–3, 3–6, 6–10, 10–15 minutes to the arrival */
  board_bins: number[];
};

export type Role = 'app' | 'viewer' | 'analyst' | 'dispatcher' | 'operator' | 'admin';

export type Route = {
  agency: string;
  buses: number;
  color?: string;
  id: string;
  line: string;
  name?: string;
  /** If the timetable has a translation */
  name_en?: string;
  type: number;
};

export type RouteAir = {
  line: string;
  route: string;
  scale: string;
  state: 'live' | 'stale';
  time: string;
  ways: {
    direction?: 0 | 1;
    headsign: string;
    id: string;
    known_pct: number;
    length_m: number;
    max: WayIndex;
    mean: WayIndex;
    steps: {
      along_m: number;
      aqi: number | null;
    }[];
  }[];
};

export type RouteDetail = Route & {
  /** The active service alerts about the route, its stops and its trips */
  alerts: ServiceAlert[];
  patterns: {
    buses: {
      agency: string;
      along_m: number;
      id: string;
      lat: number;
      lon: number;
      next_stop?: string;
      occupancy?: string;
      state: State;
      status: string;
      time: string;
      trip?: string;
    }[];
    direction?: 0 | 1;
    headsign: string;
    id: string;
    length_m: number;
    shape: readonly [number, number][];
    stops: StopRef[];
    trips: number;
  }[];
  time: string;
};

export type Routes = {
  routes: Route[];
  time: string;
};

/** VN_AQI: Decision 1459/QĐ-TCMT. US_EPA: the AQI of the US EPA of May 2024. WHO: the multiple of the guideline of 2021. Values of different scales can't be compared. */
export type Scale = 'VN_AQI' | 'US_EPA' | 'WHO';

export type Schedule = {
  active: boolean;
  area?: string;
  at: string;
  changed: string;
  created: string;
  day?: number;
  error_time?: string;
  every: 'day' | 'week' | 'month';
  /** Mails that were refused, or not accepted within a day */
  given_up?: number;
  id: string;
  lang: 'vi' | 'en';
  /** Of the last attempt that failed */
  last_error?: string;
  last_missed?: string;
  /** When a mail server last accepted a mail of it */
  last_sent?: string;
  /** Recipients who have not got what is due */
  left?: number;
  /** The owner is the caller */
  mine: boolean;
  /** Times that were more than a day ago when the collector came back */
  missed?: number;
  name: string;
  /** When it is due next, or tried again */
  next?: string;
  /** Name of who made it */
  owner: string;
  /** Why it is stopped */
  reason?: string;
  recipients: string[];
  report: 'monthly' | 'exceedances';
  /** `sending` while something is due or tried again; `stopped` when the owner may not have it any more; `no_mail` if no collector has a mail server; `unknown` while a collector does not answer */
  state: 'waiting' | 'sending' | 'inactive' | 'stopped' | 'no_mail' | 'unknown';
  station?: string;
};

/** What the caller sees. A station is in scope if any of zones, areas and stations names it; agencies limit buses and their devices. What no list limits is in scope. The rest is as if it did not exist. */
export type Scope = {
  agencies?: string[];
  areas?: string[];
  stations?: string[];
  zones?: string[];
};

/** A notice of an operator, from the Alerts of a GTFS-realtime feed or of a dispatcher, whose `feed` is `nhip-dispatch` */
export type ServiceAlert = {
  /** Now; otherwise it will be */
  active: boolean;
  /** Agency of the feed */
  agency: string;
  /** Alert.Cause of GTFS-realtime, as in CONSTRUCTION */
  cause?: string;
  /** A text in several languages */
  description?: Translations;
  /** Alert.Effect of GTFS-realtime, as in DETOUR */
  effect?: string;
  feed: string;
  /** A text in several languages */
  header?: Translations;
  /** Unique within the feed */
  id: string;
  /** What it is about. Each item selects what has all of its properties */
  informed?: {
    agency?: string;
    direction?: 0 | 1;
    route?: string;
    route_type?: number;
    start_date?: string;
    start_time?: string;
    /** A stop or a station */
    stop?: string;
    /** The stop to use instead of `stop`; of dispatchers' alerts */
    substitute_stop?: string;
    trip?: string;
  }[];
  /** When it is active; missing if it is as long as the feed contains it */
  periods?: {
    /** Inclusive */
    from?: string;
    /** Exclusive */
    to?: string;
  }[];
  severity?: 'INFO' | 'WARNING' | 'SEVERE';
  /** When a differential feed sent it, or a dispatcher changed it last */
  time?: string;
  /** A text in several languages */
  url?: Translations;
};

export type ServiceAlertChange = {
  /** Its agency_id in the timetable */
  agency: string;
  cause: 'UNKNOWN_CAUSE' | 'OTHER_CAUSE' | 'TECHNICAL_PROBLEM' | 'STRIKE' | 'DEMONSTRATION' | 'ACCIDENT' | 'HOLIDAY' | 'WEATHER' | 'MAINTENANCE' | 'CONSTRUCTION' | 'POLICE_ACTIVITY' | 'MEDICAL_EMERGENCY';
  /** Plain text in both languages, with line feeds */
  description?: AlertDescription;
  effect: 'NO_SERVICE' | 'REDUCED_SERVICE' | 'SIGNIFICANT_DELAYS' | 'DETOUR' | 'ADDITIONAL_SERVICE' | 'MODIFIED_SERVICE' | 'OTHER_EFFECT' | 'UNKNOWN_EFFECT' | 'STOP_MOVED' | 'NO_EFFECT' | 'ACCESSIBILITY_ISSUE';
  /** One line of plain text in both languages */
  header: AlertHeader;
  /** What it is about. Each item selects what has all of its properties */
  informed: {
    /** That of the alert */
    agency?: string;
    /** With a route */
    direction?: 0 | 1;
    /** route_id */
    route?: string;
    /** Of GTFS, as in 3 for buses; without route and trip */
    route_type?: number;
    /** stop_id of a stop or station */
    stop?: string;
    /** stop_id of the one to use instead of `stop`; also named in the description that riders see */
    substitute_stop?: string;
    /** trip_id */
    trip?: string;
  }[];
  /** When it is active, in order and without overlaps */
  periods: {
    /** Inclusive; only the first may be missing, and begins now then */
    from?: string;
    /** Exclusive, after `from`, at most 366 days ahead */
    to: string;
  }[];
  severity: 'INFO' | 'WARNING' | 'SEVERE';
  /** Riders see what is published */
  status: 'draft' | 'published';
  /** http or https, for readers of both languages */
  url?: AlertURL;
  /** That the change was made from */
  version?: number;
};

export type ServiceAlerts = {
  alerts: ServiceAlert[];
  /** The realtime feeds that say something of trips or have alerts */
  feeds: {
    agency: string;
    alerts: number;
    differential?: boolean;
    feed: string;
    /** Whose expected times are told where we predict its trips, too; ours if absent */
    predictions?: 'ours' | 'theirs' | 'better';
    /** Of its last message */
    time: string;
    /** Trip updates that hold */
    trips: number;
  }[];
  time: string;
};

/** Local time HH:MM; 24 hours are added for each day after the service day */
export type ServiceTime = string;

export type SessionAnswer = {
  session: {
    /** End of the session; missing for a request with its key */
    expires?: string;
    name: string;
    permissions: string[];
    role: Role;
    scope: {
      agencies?: string[];
      areas?: string[];
      /** Stations in scope; missing while the history is away */
      station_count?: number;
      stations?: string[];
      /** In the order of zones */
      zone_names?: Name[];
      zones?: string[];
    };
  } | null;
};

export type State = 'live' | 'stale';

export type Station = {
  geometry: Point | null;
  properties: {
    /** The advice of Decision 1459 for the category, for everybody and for sensitive people */
    advice?: Advice;
    age_s: number | null;
    /** An air-quality index, with everything needed to interpret it */
    aqi?: AQI;
    /** From the fleet file: a district, a ward, a school */
    area?: string;
    /** Missing if there is none, and in the list of the map */
    first_reading?: string;
    id: string;
    /** From the fleet file */
    kind?: 'reference' | 'low-cost';
    /** Missing if there is none, and in the list of the map */
    last_reading?: string;
    /** A text in both languages; if only one is known, both contain it */
    name?: Name;
    origin?: 'simulated';
    /** From the fleet file */
    owner?: string;
    /** silent: not on the map, because its last reading is more than 30 days old or there is none */
    state: StationState;
    /** Time of the newest value; null without any */
    time: string | null;
    /** The newest value of each quantity */
    values: Record<string, Value>;
    /** From the fleet file: time zone of its days; missing for the city's */
    zone?: string;
  };
  type: 'Feature';
};

export type StationCollection = {
  features: Station[];
  numberMatched?: number;
  numberReturned: number;
  time: string;
  type: 'FeatureCollection';
};

/** silent: not on the map, because its last reading is more than 30 days old or there is none */
export type StationState = 'live' | 'stale' | 'silent';

export type Stop = StopRef & {
  /** The current air at a place, estimated; missing if no monitor is near enough */
  air?: AirBrief;
  /** The active service alerts about the stop and its lines; of one stop only */
  alerts?: ServiceAlert[];
  distance_m?: number;
  lines: {
    direction?: 0 | 1;
    headsign: string;
    line: string;
    route: string;
  }[];
  wheelchair?: 'possible' | 'not_possible';
};

export type StopAhead = StopRef & {
  basis?: 'position' | 'next_trip' | 'learned' | 'timetable' | 'operator';
  drop_off?: 'none' | 'phone_agency' | 'coordinate_with_driver';
  /** One bus in ten arrives before it */
  early?: string;
  expected?: string;
  /** The time of the other one, where both have one */
  expected_other?: string;
  /** Of the stop on the path of the trip */
  index: number;
  /** One bus in ten arrives after it */
  late?: string;
  minutes?: number;
  pickup?: 'none' | 'phone_agency' | 'coordinate_with_driver';
  /** Who predicted `expected`: we, or the operator's realtime feed. Where both do, the setting of the feed decides (feeds[].predictions) */
  predicted_by?: PredictedBy;
  scheduled?: string;
  state?: 'live' | 'stale' | 'scheduled' | 'forecast' | 'canceled' | 'skipped';
  stops_away?: number;
};

export type StopRef = {
  code?: string;
  /** GTFS stop_id */
  id: string;
  lat: number;
  lon: number;
  name: string;
  /** If the timetable has a translation */
  name_en?: string;
};

export type StopTimetable = {
  /** The service day */
  date: string;
  /** Of the timetable */
  first_day?: string;
  /** Of the timetable; nothing is known of later days */
  last_day?: string;
  lines: {
    color?: string;
    departures: {
      /** The timetable has no time for this stop; it is interpolated */
      estimated?: boolean;
      /** If it is not the line's */
      headsign?: string;
      /** How riders get on; absent if they just do */
      pickup?: 'phone_agency' | 'coordinate_with_driver';
      /** Local time HH:MM; 24 hours are added for each day after the service day */
      time: ServiceTime;
    }[];
    direction?: 0 | 1;
    /** Of most departures */
    headsign: string;
    /** Periods with a headway instead of times */
    headways?: {
      /** Local time HH:MM; 24 hours are added for each day after the service day */
      from: ServiceTime;
      /** If it is not the line's */
      headsign?: string;
      headway_s: number;
      /** Local time HH:MM; 24 hours are added for each day after the service day */
      until: ServiceTime;
    }[];
    line: string;
    name?: string;
    name_en?: string;
    route: string;
  }[];
  stop: StopRef;
  /** The zone of the times (IANA) */
  zone: string;
};

export type Stops = {
  stops: Stop[];
  time: string;
};

export type TidesDates = {
  dates: {
    /** Address of the descriptor */
    datapackage: string;
    date: string;
    /** Addresses as CSV, by the name of the table */
    tables: Record<string, string>;
  }[];
  /** `before` of the next page; missing on the last one */
  next?: string;
  /** Time zone of the service dates */
  timezone: string;
};

export type TidesPackage = {
  /** Missing if there are several */
  agency?: string;
  description: string;
  licenses?: {
    name?: string;
    path?: string;
    title?: string;
  }[];
  name: string;
  profile: string;
  resources: {
    encoding: string;
    format: string;
    mediatype: string;
    name: string;
    /** Relative to the descriptor */
    path: string;
    profile: string;
    /** Address of the table's schema */
    schema: string;
    sources: {
      component: string;
      title: string;
    }[];
    "tides-table": string;
    title: string;
  }[];
  title: string;
};

export type TileJSON = {
  attribution?: string;
  /** west, south, east, north. Holds all that the tiles draw: the air up to its reach, zones and stations, or the network and its buses; the world while that is unknown */
  bounds?: readonly [number, number, number, number];
  maxzoom?: number;
  minzoom?: number;
  name?: string;
  tilejson: '3.0.0';
  tiles: string[];
  vector_layers?: {
    description?: string;
    fields: Record<string, string>;
    id: string;
    maxzoom?: number;
    minzoom?: number;
  }[];
};

/** A text in several languages */
export type Translations = {
  /** BCP 47, as in `vi`; missing: the language of the operator */
  language?: string;
  text: string;
}[];

export type Value = {
  /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
  flag: Flag;
  /** Averaging period: 1h, 5m, 30s … */
  period: string;
  state: State;
  /** Automatic checks that the value did not pass: spike=4,humidity=3 */
  tests?: string;
  /** END of the period */
  time: string;
  unit: string;
  value: number;
};

export type WayIndex = {
  along_m?: number;
  aqi: number;
  level: IndexLevel;
} | null;

export type WindAnswer = {
  stations: {
    age_s: number;
    /** Degrees clockwise from north, from which the wind blows; null if only the speed was measured */
    direction: number | null;
    /** QARTOD; of both values the worse */
    flag: number;
    /** Null if the position is private or not known, as `lon` */
    lat: number | null;
    lon: number | null;
    /** A text in both languages; if only one is known, both contain it */
    name?: Name;
    origin?: string;
    /** m/s; null if only the direction was measured */
    speed: number | null;
    state: 'live' | 'stale';
    station: string;
    /** END of the averaging period */
    time: string;
  }[];
  /** Of the answer */
  time: string;
};

export type WrittenServiceAlert = {
  /** Its agency_id in the timetable */
  agency: string;
  /** Who made the last change */
  by: string;
  cause: 'UNKNOWN_CAUSE' | 'OTHER_CAUSE' | 'TECHNICAL_PROBLEM' | 'STRIKE' | 'DEMONSTRATION' | 'ACCIDENT' | 'HOLIDAY' | 'WEATHER' | 'MAINTENANCE' | 'CONSTRUCTION' | 'POLICE_ACTIVITY' | 'MEDICAL_EMERGENCY';
  created: string;
  /** Plain text in both languages, with line feeds */
  description?: AlertDescription;
  effect: 'NO_SERVICE' | 'REDUCED_SERVICE' | 'SIGNIFICANT_DELAYS' | 'DETOUR' | 'ADDITIONAL_SERVICE' | 'MODIFIED_SERVICE' | 'OTHER_EFFECT' | 'UNKNOWN_EFFECT' | 'STOP_MOVED' | 'NO_EFFECT' | 'ACCESSIBILITY_ISSUE';
  /** By a dispatcher; missing: it ends with its last period */
  ended?: string;
  /** One line of plain text in both languages */
  header: AlertHeader;
  id: string;
  /** What it is about. Each item selects what has all of its properties */
  informed: {
    /** That of the alert */
    agency?: string;
    /** With a route */
    direction?: 0 | 1;
    /** route_id */
    route?: string;
    /** Of GTFS, as in 3 for buses; without route and trip */
    route_type?: number;
    /** stop_id of a stop or station */
    stop?: string;
    /** stop_id of the one to use instead of `stop`; also named in the description that riders see */
    substitute_stop?: string;
    /** trip_id */
    trip?: string;
  }[];
  /** When it is active, in order and without overlaps */
  periods: {
    /** Inclusive; only the first may be missing, and begins now then */
    from?: string;
    /** Exclusive, after `from`, at most 366 days ahead */
    to: string;
  }[];
  severity: 'INFO' | 'WARNING' | 'SEVERE';
  state: 'draft' | 'upcoming' | 'active' | 'ended';
  /** Riders see what is published */
  status: 'draft' | 'published';
  updated: string;
  /** http or https, for readers of both languages */
  url?: AlertURL;
  /** Rises with each change */
  version: number;
};

export type Zone = {
  air: {
    /** Index of the mean concentrations */
    aqi: number;
    dominant: string;
    /** Share of the area with an estimate */
    known_pct: number;
    level: IndexLevel;
    /** The highest index in the zone, also where nobody lives */
    max_aqi: number;
    quantities: {
      average: string;
      max: number;
      mean: number;
      quantity: string;
      unit: string;
    }[];
  } | null;
  area_km2: number;
  /** Missing if no station in the zone has an index */
  exceedance_hours?: {
    above: number;
    hours: number;
    known: number;
  };
  id: string;
  kind: string;
  name: {
    en?: string;
    vi?: string;
  };
  stations: string[];
};

/** The answers of GET in JSON, by path. */
export interface Answers {
  '/gtfs-rt/alerts.pb': {
    entity?: Record<string, unknown>[];
    header: Record<string, unknown>;
  };
  '/gtfs-rt/trip-updates.pb': {
    entity?: Record<string, unknown>[];
    header: Record<string, unknown>;
  };
  '/gtfs-rt/vehicle-positions.pb': {
    entity?: Record<string, unknown>[];
    header: Record<string, unknown>;
  };
  '/ogc': {
    description?: string;
    links: Link[];
    title: string;
  };
  '/ogc/collections': {
    collections: Layer[];
    links: Link[];
  };
  '/ogc/collections/{collection}': Layer;
  '/ogc/collections/{collection}/items': {
    features: LayerFeature[];
    links: Link[];
    numberMatched: number;
    numberReturned: number;
    timeStamp: string;
    type: 'FeatureCollection';
  };
  '/ogc/collections/{collection}/items/{feature}': LayerFeature;
  '/ogc/conformance': {
    conformsTo: string[];
  };
  '/ogc/edr': {
    description?: string;
    links: Link[];
    title: string;
  };
  '/ogc/edr/collections': {
    collections: EDRCollection[];
    links: Link[];
  };
  '/ogc/edr/collections/air/area': EDRFeatures;
  '/ogc/edr/collections/air/position': EDRFeatures;
  '/ogc/edr/collections/air/radius': EDRFeatures;
  '/ogc/edr/collections/air/trajectory': EDRFeatures;
  '/ogc/edr/collections/stations/area': EDRFeatures;
  '/ogc/edr/collections/stations/locations': EDRFeatures;
  '/ogc/edr/collections/stations/locations/{id}': EDRFeatures;
  '/ogc/edr/collections/stations/position': EDRFeatures;
  '/ogc/edr/collections/stations/radius': EDRFeatures;
  '/ogc/edr/collections/{collection}': EDRCollection;
  '/ogc/edr/conformance': {
    conformsTo: string[];
  };
  '/open311/v2/discovery.{format}': Open311Discovery;
  '/open311/v2/form': {
    expires: string;
    form_token: string;
  };
  '/open311/v2/requests.{format}': Open311Request[];
  '/open311/v2/requests/{id}.{format}': readonly [Open311Request];
  '/open311/v2/services.{format}': Open311Service[];
  '/open311/v2/services/{code}.{format}': Open311Definition;
  '/open311/v2/tokens/{token}.{format}': readonly [{
    service_request_id: string;
    token: string;
  }];
  '/readyz': Readiness;
  '/siri/lite/stop-monitoring.json': {
    Siri: {
      ServiceDelivery: Record<string, unknown>;
    };
  };
  '/siri/lite/vehicle-monitoring.json': {
    Siri: {
      ServiceDelivery: Record<string, unknown>;
    };
  };
  '/sta/v1.1': {
    serverSettings: {
      conformance: string[];
    };
    value: {
      name: string;
      url: string;
    }[];
  };
  '/styles/nhip.json': {
    layers: Record<string, unknown>[];
    sources: Record<string, unknown>;
    version: 8;
  };
  '/tiles/air.json': TileJSON;
  '/tiles/air.png.json': TileJSON;
  '/tiles/transit.json': TileJSON;
  '/v1/air': Air;
  '/v1/air/hours': {
    hours: {
      /** Fixed stations with a value of the hour */
      stations: number;
      /** END of the hour */
      time: string;
    }[];
    /** END of the newest hour on the map */
    time: string;
  };
  '/v1/alerts': {
    ended: Alert[];
    open: Alert[];
  };
  '/v1/arrivals/{date}': DayArrivals;
  '/v1/audit': {
    entries: AuditEntry[];
    /** `to` of the next page; missing on the last one */
    next?: string;
  };
  '/v1/buses': BusCollection;
  '/v1/buses/{agency}/{id}': BusAhead;
  '/v1/datasets': Datasets;
  '/v1/dead': DeadLetters;
  '/v1/dead/{collector}/{id}': DeadLetter;
  '/v1/departures': Departures;
  '/v1/devices': Devices;
  '/v1/devices/{id}': Device;
  '/v1/exceedances': {
    from: string;
    level: Level;
    rows: {
      area?: string;
      average: '1h' | '8h' | '24h' | 'year';
      /** Share of the possible means that exist; for a year, of its days */
      capture_pct: number;
      evaluated: number;
      /** Hours in the means above the limit */
      hours: number;
      /** The limit of the last mean */
      limit: number;
      /** Longest span of consecutive hours */
      longest_hours: number;
      /** Null without any mean */
      max: number | null;
      /** END of the highest mean */
      max_time: string | null;
      name?: string;
      /** Number of means above the limit */
      number: number;
      quantity: Quantity;
      station: string;
      unit: string;
    }[];
    source: string;
    /** Number of stations that were asked for */
    stations: number;
    to: string;
    /** The rows of each limit together */
    totals: {
      average: '1h' | '8h' | '24h' | 'year';
      /** Mean of the stations; those without any mean count with 0 */
      capture_pct: number;
      evaluated: number;
      /** Stations above the limit at least once */
      exceeding: number;
      /** Sum over the stations */
      hours: number;
      max: number | null;
      max_station?: string;
      max_time: string | null;
      number: number;
      quantity: Quantity;
      /** Stations with any mean */
      reporting: number;
      /** Stations that measure the quantity */
      stations: number;
      unit: string;
    }[];
  };
  '/v1/fleet/changes': {
    calibrations: {
      /** Digest of the entry of the file; empty if it has no calibration */
      base: string;
      /** Who made the last change */
      by: string;
      lines: CalibrationLineSet[];
      quantity: Quantity;
      station: string;
      time: string;
    }[];
    changes: {
      /** Digest of the entry of the file; empty if it had none */
      base: string;
      /** Who made it */
      by: string;
      disabled?: boolean;
      feed?: string;
      id: string;
      rate?: number;
      removed?: boolean;
      /** The begin of the digest of each */
      secrets?: string[];
      time: string;
      topics?: string[];
    }[];
  };
  '/v1/keys': {
    keys: Key[];
  };
  '/v1/ledger': Ledger;
  '/v1/legend': {
    classes: (IndexLevel & {
      advice?: Record<string, Name>;
      from: number;
      /** Inclusive; missing for the last category */
      to?: number;
    })[];
    /** A text in both languages; if only one is known, both contain it */
    pale: Name;
    /** Quantities for which there are tiles */
    quantities: string[];
    /** Maximum distance to the nearest monitor, beyond which there is no estimate */
    reach_m: number;
    scale: string;
    source: string;
    /** A text in both languages; if only one is known, both contain it */
    unknown: Name;
  };
  '/v1/map': Map;
  '/v1/positions/{date}': DayPositions;
  '/v1/quality/eta': Quality;
  '/v1/queue': {
    reports: QueuedReport[];
    total: number;
  };
  '/v1/queue/{id}': QueuedReport;
  '/v1/readings': AllReadings;
  '/v1/recompute': Recomputing;
  '/v1/reminders/form': {
    expires: string;
    form_token: string;
  };
  '/v1/reminders/{id}': Reminder;
  '/v1/reports/monthly': MonthlyReport;
  '/v1/retention': Retentions;
  '/v1/reviews': {
    reviews: Review[];
  };
  '/v1/reviews/reasons': {
    reasons: Name[];
  };
  '/v1/routes': Routes;
  '/v1/routes/{id}': RouteDetail;
  '/v1/routes/{id}/air': RouteAir;
  '/v1/schedules': {
    schedules: Schedule[];
  };
  '/v1/schedules/{id}': Schedule;
  '/v1/search': Found;
  '/v1/service-alerts': ServiceAlerts;
  '/v1/service-alerts/written': {
    alerts: WrittenServiceAlert[];
    time: string;
  };
  '/v1/service-alerts/{id}': WrittenServiceAlert;
  '/v1/session': SessionAnswer;
  '/v1/stations': StationCollection;
  '/v1/stations/status': {
    from: string;
    stations: {
      age_s?: number;
      area?: string;
      /** Share of complete hours, over all quantities */
      capture_pct: number;
      /** Faults of the last weeks, as the comparison with the other monitors shows, by quantity and time */
      faults: MonitorFault[];
      /** Number of hours by flag */
      flags: Record<string, number>;
      kind?: string;
      name?: string;
      /** Gaps without a complete hour of any quantity */
      off: {
        from: string;
        hours: number;
        to: string;
      }[];
      /** What the station measures now, or measured within the hours, by name */
      quantities: {
        /** The flag is older than the hours asked for; `since` is their begin */
        before?: boolean;
        /** Share of complete hours */
        capture_pct: number;
        /** Of the newest value: 1 good, 2 not checked, 3 suspect, 4 fail; 9: no value comes */
        flag: 1 | 2 | 3 | 4 | 9;
        quantity: Quantity;
        /** Begin of the hours with this flag up to now, or when values ceased to come */
        since: string;
        /** Automatic checks that the newest value did not pass: spike=4,humidity=3 */
        tests?: string;
        /** Of the newest value */
        time: string | null;
      }[];
      /** silent: not on the map, because its last reading is more than 30 days old or there is none */
      state: StationState;
      station: string;
      /** Of its newest value; null without any */
      time: string | null;
      /** Quantities that the other monitors can't vouch for, because they are too few or differ too much. No gain, offset or drift of these fails, it is suspect at most */
      unvouched: Quantity[];
    }[];
    to: string;
  };
  '/v1/stations/{id}': Station;
  '/v1/stations/{id}/aqi': {
    from: string;
    indices: AQI[];
    level: Level;
    period: 'hour' | 'day';
    station: string;
    to: string;
  };
  '/v1/stations/{id}/calibrations': {
    calibrations: Calibration[];
    station: string;
  };
  '/v1/stations/{id}/readings': Readings;
  '/v1/stations/{id}/value': {
    /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
    flag: Flag;
    /** As in reading */
    period: string;
    /** The reading as the device sent it, with its assessment in `verdict` */
    reading: {
      /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
      flag: Flag;
      /** Averaging period: 1h, 5m, 30s … */
      period: string;
      quantity: Quantity;
      station: string;
      /** END of the averaging period */
      time: string;
      value: number;
    };
    received: string;
    reviews: Review[];
    revisions: {
      /** QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing */
      flag: Flag;
      received: string;
      value: number;
    }[];
    unit: string;
  };
  '/v1/stops': Stops;
  '/v1/stops/{id}': Stop;
  '/v1/stops/{id}/arrivals': Arrivals;
  '/v1/stops/{id}/timetable': StopTimetable;
  '/v1/tides': TidesDates;
  '/v1/tides/{date}/datapackage.json': TidesPackage;
  '/v1/wind': WindAnswer;
  '/v1/zones': {
    scale: string;
    state: 'live' | 'stale';
    /** END of the hour */
    time: string;
    zones: Zone[];
  };
  '/v1/zones.geojson': {
    features: {
      geometry: {
        coordinates: number[][][][];
        type: 'MultiPolygon';
      };
      id: string;
      properties: Zone;
      type: 'Feature';
    }[];
    numberReturned: number;
    scale?: string;
    state?: 'live' | 'stale';
    time: string;
    type: 'FeatureCollection';
  };
}

/** The parameters of GET, by path. */
export interface Queries {
  '/basemap.pmtiles': Record<string, never>;
  '/docs': {lang?: 'vi' | 'en'};
  '/docs/style.css': Record<string, never>;
  '/embed/air': {time?: string; index?: Scale; quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; layer?: 'field' | 'zones'; c?: string; lang?: 'vi' | 'en'};
  '/gtfs-rt/alerts.pb': {agency?: string; format?: 'pb' | 'json'};
  '/gtfs-rt/trip-updates.pb': {agency?: string; format?: 'pb' | 'json'};
  '/gtfs-rt/vehicle-positions.pb': {agency?: string; format?: 'pb' | 'json'};
  '/livez': Record<string, never>;
  '/metrics': Record<string, never>;
  '/ogc': {f?: 'json'};
  '/ogc/api': {f?: 'json'};
  '/ogc/collections': {f?: 'json'};
  '/ogc/collections/{collection}': {f?: 'json'};
  '/ogc/collections/{collection}/items': {limit?: number; offset?: number; bbox?: number[]; datetime?: string; f?: 'json'};
  '/ogc/collections/{collection}/items/{feature}': {f?: 'json'};
  '/ogc/conformance': {f?: 'json'};
  '/ogc/edr': {f?: 'json'};
  '/ogc/edr/api': {f?: 'json'};
  '/ogc/edr/collections': {f?: 'json'};
  '/ogc/edr/collections/air/area': {coords: string; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/air/position': {coords: string; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/air/radius': {coords: string; within: number; "within-units": 'm' | 'km'; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/air/trajectory': {coords: string; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/stations/area': {coords: string; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/stations/locations': {f?: string};
  '/ogc/edr/collections/stations/locations/{id}': {datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/stations/position': {coords: string; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/stations/radius': {coords: string; within: number; "within-units": 'm' | 'km'; datetime?: string; "parameter-name"?: string; crs?: string; f?: string};
  '/ogc/edr/collections/{collection}': {f?: 'json'};
  '/ogc/edr/conformance': {f?: 'json'};
  '/open311/v2/discovery.{format}': {jurisdiction_id?: string};
  '/open311/v2/form': Record<string, never>;
  '/open311/v2/photos/{id}': Record<string, never>;
  '/open311/v2/requests.{format}': {jurisdiction_id?: string; api_key?: string; service_request_id?: string; service_code?: string; status?: string; start_date?: string; end_date?: string; page?: number; page_size?: number; extensions?: boolean; lang?: 'vi' | 'en'};
  '/open311/v2/requests/{id}.{format}': {jurisdiction_id?: string; api_key?: string; extensions?: boolean; lang?: 'vi' | 'en'};
  '/open311/v2/services.{format}': {jurisdiction_id?: string; lang?: 'vi' | 'en'};
  '/open311/v2/services/{code}.{format}': {jurisdiction_id?: string; lang?: 'vi' | 'en'};
  '/open311/v2/tokens/{token}.{format}': {jurisdiction_id?: string; api_key?: string};
  '/openapi.yaml': {lang?: 'vi' | 'en'};
  '/readyz': Record<string, never>;
  '/sign-in/oidc': {to?: string};
  '/sign-in/oidc/callback': {code?: string; state?: string; error?: string; iss?: string};
  '/sign-in/{link}': Record<string, never>;
  '/siri/lite/stop-monitoring.json': {MonitoringRef?: string; MaximumStopVisits?: string; MinimumStopVisitsPerLine?: string; StopMonitoringDetailLevel?: string; LineRef?: string; DirectionRef?: string; OperatorRef?: string; MaximumNumberOfCallsOnwards?: string};
  '/siri/lite/vehicle-monitoring.json': {VehicleRef?: string; VehicleMonitoringDetailLevel?: string; LineRef?: string; DirectionRef?: string; OperatorRef?: string; MaximumNumberOfCallsOnwards?: string};
  '/sta/v1.1': Record<string, never>;
  '/styles/nhip.json': {theme?: 'light' | 'dark'; quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; index?: Scale; time?: string};
  '/tiles/air.json': {quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; index?: Scale; time?: string};
  '/tiles/air.png.json': {quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; index?: Scale; time?: string};
  '/tiles/air/{z}/{x}/{y}.mvt': {quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; index?: Scale; time?: string};
  '/tiles/air/{z}/{x}/{y}.png': {quantity?: 'pm25' | 'pm10' | 'o3' | 'no2' | 'so2' | 'co'; index?: Scale; time?: string};
  '/tiles/transit.json': {time?: string};
  '/tiles/transit/{z}/{x}/{y}.mvt': {time?: string};
  '/v1/air': {at: string; index?: Scale; time?: string};
  '/v1/air/hours': Record<string, never>;
  '/v1/alerts': Record<string, never>;
  '/v1/alerts.atom': Record<string, never>;
  '/v1/alerts.cap': Record<string, never>;
  '/v1/alerts/live': Record<string, never>;
  '/v1/alerts/{id}.cap': {message?: string};
  '/v1/arrivals/{date}': {agency?: string; limit?: number; cursor?: string; format?: 'json' | 'csv' | 'parquet'};
  '/v1/audit': {who?: string; kind?: string; object?: string; from?: string; to?: string; limit?: number; format?: 'json' | 'csv'};
  '/v1/buses': {near?: string; limit?: number; radius?: number; route?: string; direction?: 0 | 1; agency?: string; time?: string; max_age?: number; bbox?: string; format?: 'json' | 'csv'};
  '/v1/buses/{agency}/{id}': Record<string, never>;
  '/v1/datasets': Record<string, never>;
  '/v1/dead': {collector?: string; device?: string; code?: string; from?: string; to?: string; limit?: number; after?: string};
  '/v1/dead/{collector}/{id}': Record<string, never>;
  '/v1/departures': {near: string; radius?: number; minutes?: number; limit?: number; route?: string[]; direction?: 0 | 1};
  '/v1/devices': {limit?: number; after?: string};
  '/v1/devices/{id}': Record<string, never>;
  '/v1/exceedances': {station?: string; area?: string; quantity?: Quantity; from?: string; to?: string; level?: Level; exceeded?: boolean; format?: 'json' | 'csv'};
  '/v1/fleet/changes': Record<string, never>;
  '/v1/keys': Record<string, never>;
  '/v1/ledger': {collector?: string; device?: string; from?: string; to?: string; verify?: 'true' | 'false'; limit?: number; after?: string; format?: 'json' | 'csv'};
  '/v1/legend': {index?: Scale};
  '/v1/live': {bbox?: string; lines?: string; stops?: string; stations?: string; zones?: string; alerts?: 'all'; zoom?: number; form?: 'plain' | 'compact' | 'short'; last_event_id?: string};
  '/v1/map': Record<string, never>;
  '/v1/positions/{date}': {agency?: string; limit?: number; cursor?: string; format?: 'json' | 'csv' | 'parquet'};
  '/v1/quality/eta': Record<string, never>;
  '/v1/queue': {status?: 'open' | 'closed'; service?: string; group?: 'transport' | 'environment'; zone?: string; assignee?: string; from?: string; to?: string; offset?: number; limit?: number};
  '/v1/queue/live': Record<string, never>;
  '/v1/queue/{id}': Record<string, never>;
  '/v1/queue/{id}/photo': Record<string, never>;
  '/v1/readings': {stations?: string; quantities?: string; levels?: string; from?: string; to?: string; period?: 'raw' | 'hour' | 'day' | 'month'; index?: Scale; limit?: number; cursor?: string; format?: 'json' | 'csv' | 'parquet'};
  '/v1/recompute': {station?: string};
  '/v1/reminders/events': {reminders: string};
  '/v1/reminders/form': Record<string, never>;
  '/v1/reminders/{id}': Record<string, never>;
  '/v1/reports/monthly': {month: string; station?: string; area?: string; lang?: 'vi' | 'en'; level?: Level; format?: 'json' | 'csv' | 'html'};
  '/v1/retention': Record<string, never>;
  '/v1/reviews': {station?: string};
  '/v1/reviews/reasons': Record<string, never>;
  '/v1/routes': Record<string, never>;
  '/v1/routes/{id}': Record<string, never>;
  '/v1/routes/{id}/air': {index?: Scale; time?: string};
  '/v1/schedules': Record<string, never>;
  '/v1/schedules/{id}': Record<string, never>;
  '/v1/search': {q: string; near?: string; kind?: string; limit?: number};
  '/v1/service-alerts': {stop?: string; route?: string; upcoming?: boolean};
  '/v1/service-alerts/written': {state?: 'draft' | 'upcoming' | 'active' | 'ended'; agency?: string; limit?: number};
  '/v1/service-alerts/{id}': Record<string, never>;
  '/v1/session': Record<string, never>;
  '/v1/stations': {bbox?: string; time?: string; state?: 'all' | 'live' | 'stale' | 'silent'; index?: Scale; format?: 'json' | 'csv'};
  '/v1/stations/status': {hours?: number};
  '/v1/stations/{id}': {index?: Scale};
  '/v1/stations/{id}/aqi': {from?: string; to?: string; period?: 'hour' | 'day'; level?: 'raw' | 'automatic' | 'reviewed'; index?: Scale; format?: 'json' | 'csv'};
  '/v1/stations/{id}/calibrations': Record<string, never>;
  '/v1/stations/{id}/readings': {from?: string; to?: string; quantity?: Quantity; period?: 'raw' | 'hour' | 'day' | 'month'; level?: 'raw' | 'automatic' | 'reviewed'; index?: Scale; limit?: number; cursor?: string; format?: 'json' | 'csv' | 'parquet'};
  '/v1/stations/{id}/report': {month: string; lang?: 'vi' | 'en'; level?: Level; format?: 'html' | 'csv'};
  '/v1/stations/{id}/value': {quantity: Quantity; time: string; period?: string};
  '/v1/stops': {near?: string; radius?: number; limit?: number; bbox?: string};
  '/v1/stops/{id}': Record<string, never>;
  '/v1/stops/{id}/arrivals': {minutes?: number; limit?: number; route?: string[]; direction?: 0 | 1};
  '/v1/stops/{id}/timetable': {date?: string; route?: string[]; direction?: 0 | 1};
  '/v1/tides': {before?: string; limit?: number};
  '/v1/tides/{date}/datapackage.json': {agency?: string};
  '/v1/tides/{date}/{table}.{format}': {agency?: string};
  '/v1/wind': {bbox?: string};
  '/v1/zones': {kind?: string; at?: string; index?: Scale; time?: string};
  '/v1/zones.geojson': {kind?: string; at?: string; index?: Scale; time?: string};
}
