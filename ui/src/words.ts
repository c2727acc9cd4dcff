/** Figures as people read them. */

export function hours(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const minutes = Math.round(value * 60);
  if (value > 0 && minutes === 0) return "< 1 min";
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function seconds(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** Why a list or a volume is kept from this person. */
export function blocked(kind: string): string {
  const reasons: Record<string, string> = {
    faces: "Needs the permission to see faces. An administrator can give it.",
    role: "For adjudicators.",
    dicom: "The input is a folder of DICOM files; the viewer shows NIfTI alone.",
    gone: "The input file is no longer where it was.",
    no_input: "The server was started without the input folder.",
  };
  return reasons[kind] ?? `Not available (${kind}).`;
}
