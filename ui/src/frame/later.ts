// The views that are loaded when one of them is opened.

export { AvailabilityView } from '../availability/AvailabilityView';
export { LiveView } from '../live/LiveView';
export { RankingView } from '../ranking/RankingView';
export { SessionsView } from '../sessions/SessionsView';
export { StatisticsView } from '../statistics/StatisticsView';
