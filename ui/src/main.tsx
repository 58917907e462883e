import { render } from 'preact';
import './core/theme';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';
import { App } from './frame/App';

render(<App />, document.getElementById('app')!);
