import { Pairs } from "../features/operations/pairs.tsx";
import { PageTitle, Panel } from "../ui/index.ts";

export default function PairModes() {
  return (
    <>
      <PageTitle title="Pair modes" about="What each pair takes: orders, cancels alone, or nothing any more. A market's pair follows its market." />
      <Panel flush>
        <Pairs />
      </Panel>
    </>
  );
}
