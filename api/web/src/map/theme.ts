/** The map's colors. Those of the page are in style.css. */
export interface Theme {
  dark: boolean;
  ground: string; // beyond the network
  land: string; // the network's outline
  shore: string; // the outline's edge
  road: string; // the path of a line
  roadCase: string;
  chosen: string; // the path of the chosen bus
  stop: string;
  label: string;
  bus: string;
  busInk: string; // on bus, at least 4.5:1
  halo: string; // around symbols
  rim: string; // around a station's color
  staleFill: string;
  staleInk: string; // on staleFill, at least 4.5:1
  shadow: string;
  place: string; // the visitor's place
}

export const light: Theme = {
  dark: false,
  ground: '#dfe7ea',
  land: '#f4f5f0',
  shore: '#c3ccc8',
  road: '#c2cfd6',
  roadCase: '#ffffff',
  chosen: '#1746c7',
  stop: '#8ea0aa',
  label: '#4c5b64',
  bus: '#1746c7',
  busInk: '#ffffff',
  halo: '#ffffff',
  rim: '#26323a',
  staleFill: '#eef0f1',
  staleInk: '#5a646b',
  shadow: 'rgba(16, 32, 48, 0.35)',
  place: '#b3125f',
};

export const dark: Theme = {
  dark: true,
  ground: '#0c1319',
  land: '#141e26',
  shore: '#2a3944',
  road: '#30434f',
  roadCase: '#141e26',
  chosen: '#8fb4ff',
  stop: '#5f7683',
  label: '#a9bac4',
  bus: '#8fb4ff',
  busInk: '#0a1630',
  halo: '#0c1319',
  rim: '#e8eef2',
  staleFill: '#27333b',
  staleInk: '#aab8c0',
  shadow: 'rgba(0, 0, 0, 0.6)',
  place: '#ff8cc0',
};
