import { render } from 'preact';
import './core/theme';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';
import './style/views.css';
import { App } from './frame/App';

render(<App />, document.getElementById('app')!);
