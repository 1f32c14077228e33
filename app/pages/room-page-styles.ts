/** The room's layout: the fire and its curve across, then two columns; one column on a phone, in reading order. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const roomPageStyles: CSSResult = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 24rem);
    grid-auto-flow: row dense;
    align-items: start;
    gap: 1.25rem;
  }
  .soot {
    grid-column: 1 / -1;
    padding: clamp(1.75rem, 4vw, 3.5rem) clamp(1.25rem, 4vw, 3.5rem) 1.5rem;
    border-radius: clamp(1.75rem, 7vw, 7rem) clamp(1.75rem, 7vw, 7rem) var(--_radius) var(--_radius);
    overflow: hidden;
  }
  .top {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(9rem, 17rem);
    gap: 1.5rem clamp(1.5rem, 5vw, 5rem);
    align-items: center;
  }
  h1 {
    margin-bottom: 1.25rem;
    font-size: clamp(1.75rem, 1.1rem + 2vw, 2.75rem);
    letter-spacing: -0.01em;
  }
  hearth-loss-chart {
    margin-top: 1rem;
    --hearth-chart-height: clamp(13rem, 32vh, 24rem);
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin-top: 1rem;
  }
  .needed {
    grid-column: 1 / -1;
    border-color: var(--_ember);
  }
  .side {
    grid-column: 2;
  }
  .main-column {
    grid-column: 1;
  }
  .side,
  .main-column {
    display: grid;
    gap: 1.25rem;
  }
  .inside {
    margin-top: 1rem;
  }
  memory-budget {
    margin-top: 1.5rem;
  }
  .card > .button {
    margin-top: 1rem;
  }
  /* On a wide screen the way in and the members stand beside the fire, where a room full of people sees them. */
  @media (min-width: 96rem) {
    .soot,
    .needed {
      grid-column: 1;
    }
    .side {
      grid-row: 1 / span 3;
    }
  }
  @media (max-width: 58rem) {
    :host {
      grid-template-columns: minmax(0, 1fr);
    }
    .side,
    .main-column {
      grid-column: 1;
    }
  }
  @media (max-width: 40rem) {
    .soot {
      border-radius: 8rem 8rem var(--_radius) var(--_radius);
    }
    .top {
      grid-template-columns: minmax(0, 1fr);
    }
    .top hearth-fire {
      order: -1;
      width: 8.5rem;
      margin-inline: auto;
    }
  }
`;
