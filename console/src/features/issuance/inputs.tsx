/** The fields of a draft, each wired to its name, so that a step is a list of what it asks. */

import type { ReactNode } from "react";
import type { Draft, FieldName, Problems } from "../../domain/registration.ts";
import { Check, Field, Select, TextArea } from "../../ui/index.ts";

export interface Form {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  /** What is to be shown as wrong now. */
  readonly problems: Problems;
}

type TextField = { [K in FieldName]: Draft[K] extends string ? K : never }[FieldName];

interface Props {
  readonly form: Form;
  readonly name: TextField;
  readonly label: string;
  readonly help?: ReactNode;
  readonly placeholder?: string;
  readonly className?: string;
}

/** Where the reader is taken when something is wrong with it. */
export function anchor(name: FieldName): string {
  return `draft-${name}`;
}

type TextProps = Props & { unit?: string; upper?: boolean; max?: number; inputMode?: "decimal" };

export function Text({ form, name, label, help, placeholder, className, unit, upper, max, inputMode }: TextProps) {
  const write = (text: string): void => form.change({ [name]: upper ? text.toUpperCase() : text });
  return (
    <div id={anchor(name)} className={className}>
      <Field
        label={label}
        help={help}
        unit={unit}
        placeholder={placeholder}
        error={form.problems[name]}
        value={form.draft[name]}
        {...(max ? { maxLength: max } : {})}
        {...(inputMode ? { inputMode } : {})}
        onChange={(event) => write(event.target.value)}
      />
    </div>
  );
}

export function Amount(props: Props & { unit?: string }) {
  return <Text {...props} inputMode="decimal" />;
}

export function Lines({ form, name, label, help, placeholder, className, rows = 3 }: Props & { rows?: number }) {
  return (
    <div id={anchor(name)} className={className}>
      <TextArea
        label={label}
        help={help}
        rows={rows}
        placeholder={placeholder}
        error={form.problems[name]}
        value={form.draft[name]}
        onChange={(event) => form.change({ [name]: event.target.value })}
      />
    </div>
  );
}

interface ChoiceProps<K extends FieldName> {
  readonly form: Form;
  readonly name: K;
  readonly label: string;
  readonly help?: ReactNode;
  readonly className?: string;
  readonly options: readonly (readonly [Draft[K], string])[];
  /** What else changes with the choice. */
  readonly along?: (chosen: Draft[K]) => Partial<Draft>;
}

/** One of a few; what it means is its place in the list, so that a number stays one. */
export function Choice<K extends FieldName>({ form, name, label, help, className, options, along }: ChoiceProps<K>) {
  const choose = (text: string): void => {
    const option = options.find(([value]) => String(value) === text);
    if (option) form.change({ [name]: option[0], ...along?.(option[0]) });
  };
  return (
    <div id={anchor(name)} className={className}>
      <Select label={label} help={help} error={form.problems[name]} value={String(form.draft[name])} onChange={(event) => choose(event.target.value)}>
        {options.map(([value, text]) => (
          <option key={String(value)} value={String(value)}>
            {text}
          </option>
        ))}
      </Select>
    </div>
  );
}

export function Agreed({ form, name, label, help }: { form: Form; name: "accreditationRequired"; label: string; help?: ReactNode }) {
  return (
    <div id={anchor(name)}>
      <Check label={label} help={help} checked={form.draft[name]} onChange={(event) => form.change({ [name]: event.target.checked })} />
    </div>
  );
}
