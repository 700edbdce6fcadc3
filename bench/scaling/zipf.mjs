// Which key a request carries: the k-th most frequent one with a weight of k to the power of -skew. A skew of 0 is all
// alike; of 1, of a million keys the first hundred carry a third of the requests.

/** Ranks from 1 to `count`, by rejection-inversion (W. Hormann, G. Derflinger 1996), which needs no table. */
export function zipfRanks(count, skew, random) {
  const atFirst = integral(1.5, skew) - 1;
  const atLast = integral(count + 0.5, skew);
  const sure = 2 - inverse(integral(2.5, skew) - weight(2, skew), skew);
  return () => {
    for (;;) {
      const area = atLast + random() * (atFirst - atLast);
      const place = inverse(area, skew);
      const rank = Math.min(count, Math.max(1, Math.round(place)));
      if (rank - place <= sure || area >= integral(rank + 0.5, skew) - weight(rank, skew)) return rank;
    }
  };
}

/** The share of all requests that the key of each rank has. */
export function zipfShares(count, skew) {
  const exact = Math.min(count, 10_000);
  let sum = 0;
  for (let rank = 1; rank <= exact; rank += 1) sum += weight(rank, skew);
  if (count > exact) sum += integral(count + 0.5, skew) - integral(exact + 0.5, skew);
  return (rank) => weight(rank, skew) / sum;
}

function weight(rank, skew) {
  return rank ** -skew;
}

/** Of the weight, from 1 to `place`. */
function integral(place, skew) {
  const log = Math.log(place);
  const power = (1 - skew) * log;
  return (Math.abs(power) > 1e-8 ? Math.expm1(power) / power : 1) * log;
}

function inverse(area, skew) {
  const power = Math.max(-1, area * (1 - skew));
  return Math.exp((Math.abs(power) > 1e-8 ? Math.log1p(power) / power : 1) * area);
}
