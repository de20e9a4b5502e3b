import {useEffect, useMemo, useRef, useState} from 'preact/hooks';

import {announce} from '../app/frame.tsx';
import {cityMap, mapInfo} from '../app/map-host.tsx';
import {seen} from '../app/scene.ts';
import {address} from '../core/api.ts';
import {clock, simulated} from '../core/city.ts';
import {nameIn, useWords} from '../core/i18n.ts';
import {useStore} from '../core/store.ts';
import {airWords} from './air-words.ts';
import {hourDate} from './hour-day.ts';
import {valueText} from './air-parts.tsx';
import {airQuery, choiceQuery, hourText, scaleId} from './choice.ts';
import type {PictureProps} from './picture-button.tsx';
import {type Caption, drawPicture, fileName, mapBox, sizes, type Spot} from './picture.ts';
import {paintField, paintMap} from './picture-map.ts';
import {fitView, type View} from './picture-view.ts';
import {counts, summaryOf} from './stations.ts';

/** Layers that the picture draws itself, or that are no air. */
const own = /^nhip-(air-points|bus|stop)/;

/** The dialog with the picture and the code to embed the map. */
export default function PictureDialog({choice, list, legend, kind, close}: PictureProps & {close: () => void}) {
  const {w, lang} = useWords(airWords);
  const dialog = useRef<HTMLDialogElement>(null);
  const [shape, setShape] = useState<keyof typeof sizes>('wide');
  const [url, setUrl] = useState<string>();
  const [failed, setFailed] = useState(false);
  const isSimulated = useStore(simulated);
  const time = choice.time ?? hourOf(list) ?? hourText(Math.floor(clock.now() / 3_600_000) * 3_600_000);
  const caption = useCaption({choice, list, legend, time, isSimulated});
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    setUrl(undefined);
    setFailed(false);
    paint(shape, caption, {choice, list, legend, kind}).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    }, () => setFailed(true));
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [shape, caption]);
  const code = embedCode({...choice, time}, lang, w.pictureTitle);
  const copy = (): void => void navigator.clipboard?.writeText(code).then(() => announce(w.copied));
  return (
    <dialog ref={dialog} class="picture" aria-labelledby="picture-title" onClose={close}>
      <div class="picture-head"><h2 id="picture-title">{w.savePicture}</h2><button type="button" class="plain small" id="picture-close" onClick={() => dialog.current?.close()}>{w.close}</button></div>
      <div class="buttons" role="group" aria-label={w.savePicture}>
        <button type="button" class="plain" aria-pressed={shape === 'wide'} id="picture-wide" onClick={() => setShape('wide')}>{w.pictureWide}</button>
        <button type="button" class="plain" aria-pressed={shape === 'tall'} id="picture-tall" onClick={() => setShape('tall')}>{w.pictureTall}</button>
      </div>
      <div class="picture-box" aria-busy={!url && !failed}>
        {url ? <img src={url} alt={`${caption.title}. ${caption.scale}, ${caption.hour}. ${caption.summary}`} id="picture" width={sizes[shape].width} height={sizes[shape].height} /> : <p role="status">{failed ? w.pictureFailed : w.pictureWorking}</p>}
      </div>
      {url ? <a class="plain main" id="picture-save" data-leave href={url} download={fileName(scaleId(choice), time)}>{w.download}</a> : null}
      <h3>{w.embed}</h3>
      <p class="meta">{w.embedHint}</p>
      <textarea id="embed-code" readOnly rows={3} value={code} aria-label={w.embed} onFocus={(e) => e.currentTarget.select()} />
      <button type="button" class="plain" onClick={copy}>{w.copy}</button>
    </dialog>
  );
}

/** The hour of the stations' indices: the newest that one has. */
function hourOf(list: PictureProps['list']): string | undefined {
  return list.flatMap(({hour}) => (hour ? [hour] : [])).toSorted().at(-1);
}

function useCaption({choice, list, legend, time, isSimulated}: Omit<PictureProps, 'kind'> & {time: string; isSimulated: boolean}): Caption {
  const {w, f, lang} = useWords(airWords);
  const [source, setSource] = useState<{source: string; licence: string}>({source: 'Nhịp', licence: ''});
  useEffect(() => void mapInfo().then((info) => {
    const {license} = info;
    setSource({source: license?.source || info.attribution, licence: license?.name ?? ''});
  }, () => undefined), []);
  return useMemo(() => {
    const {known, all, worst} = summaryOf(list);
    const text = (value: number): string => valueText(f, value, choice.scale, choice.quantity !== undefined);
    const level = nameIn(worst?.level?.name as {vi: string; en: string} | undefined, lang);
    const scaleSource = choice.scale === 'VN_AQI' ? w.decision : (legend?.source ?? '');
    return {
      title: w.pictureTitle, scale: w.scales[scaleId(choice)], hour: hourDate(f, Date.parse(time)),
      summary: `${w.summary(f.number(known), f.number(all))}${worst ? ` · ${w.worst(nameIn(worst.name, lang) || worst.id, text(worst.value ?? 0), level)}` : ''}`,
      estimated: choice.ground === 'zones' ? w.pictureZones : w.pictureField,
      source: w.pictureSource(source.source), definition: w.pictureScale(scaleSource),
      licence: source.licence || w.pictureLicence, address: `${location.host}/air`, stamp: isSimulated ? w.pictureSimulated : undefined,
      classes: (legend?.classes ?? []).map(({name, color, from, to}) => ({name: nameIn(name as {vi: string; en: string}, lang), color, span: to === undefined ? `≥ ${f.number(from, 2)}` : `${f.number(from, 2)}–${f.number(to, 2)}`})),
    };
  }, [choice, list, legend, time, isSimulated, lang, source]);
}

async function paint(shape: keyof typeof sizes, caption: Caption, {choice, list}: PictureProps): Promise<Blob> {
  const size = sizes[shape];
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [size.width, size.height];
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('this browser has no 2D canvas');
  const box = mapBox(size);
  pen.fillStyle = '#f4f5f0';
  pen.fillRect(box.x, box.y, box.width, box.height);
  const spots = spotsOf(list, choice);
  const view = viewOf(spots, box);
  const city = cityMap.get();
  const style = city?.map.getStyle();
  const map = style && await paintMap({...style, layers: style.layers.filter(({id}) => !own.test(id)).map(still)}, view, box);
  if (map) pen.drawImage(map, box.x, box.y, box.width, box.height);
  else if (choice.ground === 'field') await paintField(pen, view, box, (z, x, y) => address(`/tiles/air/${z}/${x}/${y}@2x.png`, airQuery(choice, true)));
  drawPicture(pen, size, caption, choice.stations ? spots : [], view);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}

/** A layer that is drawn at once, without fading in: a picture has one frame. */
function still<L extends {type: string; paint?: object}>(layer: L): L {
  return layer.type === 'raster' ? {...layer, paint: {...layer.paint, 'raster-fade-duration': 0}} : layer;
}

function spotsOf(list: PictureProps['list'], choice: PictureProps['choice']): Spot[] {
  const digits = new Intl.NumberFormat('vi-VN', {maximumFractionDigits: choice.scale === 'WHO' ? 1 : 0});
  return list.flatMap((s) => (counts(s) && s.at ? [{at: s.at, value: s.value ?? 0, text: digits.format(s.value ?? 0), color: s.level?.color, sensor: s.sensor, doubt: s.doubt}] : []));
}

/** What the map shows now, or all stations. */
function viewOf(spots: readonly Spot[], box: {width: number; height: number}): View {
  const now = seen.get();
  if (now) return fitView(now.bbox, box);
  const [lons, lats] = [spots.map(({at}) => at[0]), spots.map(({at}) => at[1])];
  if (spots.length === 0) return fitView([105.7, 20.93, 105.95, 21.14], box);
  const view = fitView([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {width: box.width * 0.86, height: box.height * 0.86});
  return {...view, left: view.left - box.width * 0.07, top: view.top - box.height * 0.07};
}

/** The code that shows this hour on another page. */
export function embedCode(choice: PictureProps['choice'], lang: string, title: string): string {
  const {layer, ...rest} = choiceQuery(choice);
  const now = seen.get();
  const c = now ? `${now.center[1].toFixed(3)},${now.center[0].toFixed(3)},${Math.min(15, Math.max(7, now.zoom)).toFixed(1)}` : undefined;
  const src = new URL(address('/embed/air', {...rest, layer: layer?.includes('zones') ? 'zones' : undefined, c, lang: lang === 'vi' ? undefined : lang}), location.href).href;
  return `<iframe src="${src.replaceAll('&', '&amp;')}" title="${title}" width="640" height="520" loading="lazy" style="border:0;max-width:100%"></iframe>`;
}
