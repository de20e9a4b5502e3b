import {Head} from '../app/frame.tsx';

export default function View() {
  return <Head title="…" />;
}
